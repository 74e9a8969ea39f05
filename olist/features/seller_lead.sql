---
entity: seller_id
time: won_date
windows: [all]
description: The lead that became a seller - where it came from and how long it took
---
SELECT
    MAX(datediff(won_date, first_contact_date))                         AS days_from_contact_to_signing,
        -- days from first contact to signing; none: no lead known
        -- pt-BR: dias do primeiro contato à assinatura; none: nenhum lead conhecido
    MAX(COALESCE(origin, 'unknown'))                                    AS origin,
        -- origin of the lead; none: no lead known
        -- pt-BR: origem do lead; none: nenhum lead conhecido
    MAX(landing_page_id)                                                AS landing_page_id
        -- landing page
        -- pt-BR: página de entrada
FROM deals
JOIN leads USING (mql_id)
