---
entity: visits.member_id
time: entered_at
windows: [14d, 28d, all]
description: How often, how regularly and how long a member trains
---
SELECT
    COUNT(*)                                                            AS visits,
    COUNT(DISTINCT CAST(entered_at AS DATE))                            AS days,
    datediff(reference_date, MAX(entered_at))                           AS days_since_last_visit,
    AVG(date_part('epoch', left_at) - date_part('epoch', entered_at)) / 60 AS mean_minutes
FROM visits
