---
entity: deals.seller_id
time: won_date
windows: [all]
description: What a seller said of itself when it signed, who won it, and whether it has sold since
---
SELECT
    datediff(reference_date, MAX(won_date))                                             AS days_since_signing,
    COUNT(DISTINCT order_id)                                                            AS orders,
    MAX(sdr_id)                                                                         AS sdr_id,
    MAX(sr_id)                                                                          AS sr_id,
    MAX(business_segment)                                                               AS business_segment,
    MAX(COALESCE(lead_type, 'unknown'))                                                 AS lead_type,
    MAX(COALESCE(lead_behaviour_profile, 'unknown'))                                    AS behaviour_profile,
    MAX(COALESCE(business_type, 'unknown'))                                             AS business_type,
    MAX(CASE WHEN has_company THEN 1 WHEN NOT has_company THEN 0 END)                   AS has_company,
    MAX(CASE WHEN has_gtin THEN 1 WHEN NOT has_gtin THEN 0 END)                         AS has_gtin,
    MAX(declared_product_catalog_size)                                                  AS declared_catalogue,
    MAX(CASE WHEN declared_monthly_revenue > 0 THEN declared_monthly_revenue END)       AS declared_monthly_revenue
FROM deals
LEFT JOIN (
    SELECT seller_id, order_id, order_purchase_timestamp
    FROM order_items
    JOIN orders USING (order_id)
) AS sales ON sales.seller_id = deals.seller_id
