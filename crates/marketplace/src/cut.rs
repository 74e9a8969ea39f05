//! What was known of an order on a morning.

use chrono::{NaiveDate, NaiveDateTime};

use crate::order::{Order, Progress, Status};

/// How far the order had got on the morning of this day, none if it had not been bought: later
/// times are blank, and the status is rolled back to the last step that was known. A status that no
/// date goes with stays.
pub(crate) fn known(order: &Order, until: NaiveDate) -> Option<Progress> {
    let morning = until.into();
    let before = |time: Option<NaiveDateTime>| time.filter(|time| *time < morning);
    let end = order.progress;
    let approved = before(end.approved);
    let collected = before(end.collected);
    let delivered = before(end.delivered);
    let status = if approved != end.approved {
        Status::Created
    } else if collected != end.collected {
        Status::Processing
    } else if delivered != end.delivered {
        Status::Shipped
    } else {
        end.status
    };
    let known = Progress {
        status,
        approved,
        collected,
        delivered,
    };
    (order.purchased < morning).then_some(known)
}
