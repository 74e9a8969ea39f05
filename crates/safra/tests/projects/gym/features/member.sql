---
entity: member_id
time: joined_on
windows: [all]
description: Who a member is
---
SELECT
    datediff(reference_date, MAX(joined_on))                    AS days_since_joining,
    MAX(trainer_id)                                             AS trainer,
    MAX(CASE WHEN plan = 'yearly' THEN 1 ELSE 0 END)            AS is_yearly
FROM members
