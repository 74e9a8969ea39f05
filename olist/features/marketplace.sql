---
entity: []
time: order_purchase_timestamp
windows: [7d, 30d, 90d]
description: The marketplace as a whole, one row a date - load, promises, payments
---
SELECT
    COUNT(DISTINCT order_id)                                                    AS marketplace_orders,
        -- orders in the marketplace
        -- pt-BR: pedidos no marketplace
    COUNT(DISTINCT seller_id)                                                   AS marketplace_sellers,
        -- sellers with a sale in the marketplace
        -- pt-BR: vendedores com venda no marketplace
    SUM(price)                                                                  AS marketplace_revenue,
        -- sales of the marketplace [R$]; none: no sale
        -- pt-BR: vendas do marketplace [R$]; none: nenhuma venda
    COUNT(*) FILTER (WHERE is_late) / COUNT(is_late)                            AS marketplace_late_share,
        -- share of late items in the marketplace [%]; none: no item settled
        -- pt-BR: parcela de itens atrasados no marketplace [%]; none: nenhum item definido
    COUNT(*) FILTER (WHERE order_delivered_customer_date IS NULL)               AS marketplace_open_items,
        -- items under way in the marketplace
        -- pt-BR: itens a caminho no marketplace
    AVG(datediff(order_delivered_carrier_date, order_approved_at))              AS marketplace_days_approved_to_carrier,
        -- mean days from approval to carrier in the marketplace; none: no item with a carrier
        -- pt-BR: média de dias da aprovação à transportadora no marketplace; none: nenhum item na transportadora
    AVG(datediff(order_delivered_customer_date, order_delivered_carrier_date))  AS marketplace_days_carrier_to_delivered,
        -- mean days from carrier to customer in the marketplace; none: no item delivered
        -- pt-BR: média de dias da transportadora ao cliente no marketplace; none: nenhum item entregue
    AVG(datediff(order_estimated_delivery_date, order_purchase_timestamp))      AS marketplace_days_promised
        -- mean days promised in the marketplace; none: no sale
        -- pt-BR: média de dias prometidos no marketplace; none: nenhuma venda
FROM order_items
JOIN orders USING (order_id)
