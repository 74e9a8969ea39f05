//! The segments as the report shows them.
