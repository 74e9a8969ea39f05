---
entity: []
time: entered_at
windows: [14d]
description: How full the gym is
---
SELECT
    COUNT(*)    AS gym_visits
FROM visits
