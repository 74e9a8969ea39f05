---
entity: deals.seller_id
time: won_date
windows: [all]
description: What a seller said of itself when it signed, who won it, and whether it has sold since
---
SELECT
    datediff(reference_date, MAX(won_date))                                             AS days_since_signing,
        -- days since signing
        -- pt-BR: dias desde a assinatura
    COUNT(DISTINCT order_id)                                                            AS orders,
        -- orders
        -- pt-BR: pedidos
    MAX(sdr_id)                                                                         AS sdr_id,
        -- development representative
        -- pt-BR: pré-vendedor
    MAX(sr_id)                                                                          AS sr_id,
        -- sales representative
        -- pt-BR: representante de vendas
    MAX(business_segment)                                                               AS business_segment,
        -- business segment
        -- pt-BR: segmento do negócio
    MAX(COALESCE(lead_type, 'unknown'))                                                 AS lead_type,
        -- type of lead
        -- pt-BR: tipo de lead
    MAX(COALESCE(lead_behaviour_profile, 'unknown'))                                    AS behaviour_profile,
        -- behaviour profile
        -- pt-BR: perfil de comportamento
    MAX(COALESCE(business_type, 'unknown'))                                             AS business_type,
        -- type of business
        -- pt-BR: tipo de negócio
    MAX(CASE WHEN has_company THEN 1 WHEN NOT has_company THEN 0 END)                   AS has_company,
        -- has a registered company [?]; none: not asked whether it has a registered company
        -- pt-BR: tem empresa registrada [?]; none: não perguntado se tem empresa registrada
    MAX(CASE WHEN has_gtin THEN 1 WHEN NOT has_gtin THEN 0 END)                         AS has_gtin,
        -- products have a GTIN [?]; none: not asked whether products have a GTIN
        -- pt-BR: produtos têm GTIN [?]; none: não perguntado se os produtos têm GTIN
    MAX(declared_product_catalog_size)                                                  AS declared_catalogue,
        -- products in the catalogue, as declared; none: no declared size of the catalogue
        -- pt-BR: produtos no catálogo, como declarado; none: tamanho do catálogo não declarado
    MAX(CASE WHEN declared_monthly_revenue > 0 THEN declared_monthly_revenue END)       AS declared_monthly_revenue
        -- monthly revenue, as declared [R$]; none: no declared monthly revenue
        -- pt-BR: faturamento mensal, como declarado [R$]; none: faturamento mensal não declarado
FROM deals
LEFT JOIN (
    SELECT seller_id, order_id, order_purchase_timestamp
    FROM order_items
    JOIN orders USING (order_id)
) AS sales ON sales.seller_id = deals.seller_id
