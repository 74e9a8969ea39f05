---
entity: seller_id
time: won_date
windows: [all]
description: The lead that became a seller - where it came from and how long it took
---
SELECT
    MAX(datediff(won_date, first_contact_date))                         AS days_from_contact_to_signing,
    MAX(COALESCE(origin, 'unknown'))                                    AS origin,
    MAX(landing_page_id)                                                AS landing_page_id
FROM deals
JOIN leads USING (mql_id)
