---
entity: trainer_id
time: entered_at
windows: [28d]
description: How much a trainer's members train
---
SELECT
    COUNT(*) / COUNT(DISTINCT visits.member_id)     AS trainer_visits_per_member,
    COUNT(*) FILTER (WHERE is_senior)               AS trainer_senior_visits
FROM visits
JOIN members ON members.member_id = visits.member_id
JOIN trainers USING (trainer_id)
