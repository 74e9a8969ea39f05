---
entity: seller_id
time: won_date
windows: [all]
description: The lead that became a seller - where it came from and how long it took
---
SELECT
    MAX(datediff(won_date, first_contact_date))                         AS days_from_contact_to_signing,
    MAX(COALESCE(origin, 'unknown'))                                    AS origin,
    MAX(landing_page_id)                                                AS landing_page_id,
    {% for origin in ['organic_search', 'paid_search', 'direct_traffic', 'social'] %}
    MAX(CASE WHEN origin = '{{ origin }}' THEN 1 ELSE 0 END)            AS origin_is_{{ origin }},
    {% endfor %}
    MAX(CASE WHEN COALESCE(origin, 'unknown') = 'unknown' THEN 1 ELSE 0 END) AS origin_is_unknown
FROM deals
JOIN leads USING (mql_id)
