---
entity: reader_id
time: lent_at
windows: [28d, all]
description: How a reader kept to the dates so far
---
SELECT
    COUNT(*)                                                AS reader_loans,
    COUNT(*) FILTER (WHERE is_overdue) / COUNT(is_overdue)  AS reader_overdue_share,
    COUNT(*) FILTER (WHERE returned_at IS NULL)             AS reader_open_loans
FROM loans
