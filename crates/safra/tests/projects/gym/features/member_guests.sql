---
entity: member_id
time: came_on
windows: [28d, all]
description: Guests whom a member brought along
---
SELECT
    COUNT(*)    AS guests
FROM guests
