---
entity: seller_id
time: order_purchase_timestamp
windows: [7d, 14d, 30d, 60d, 90d, 6mo, all]
description: Volume, ticket and rhythm of a seller's sales
---
SELECT
    COUNT(DISTINCT order_id)                                           AS orders,
        -- orders
        -- pt-BR: pedidos
    COUNT(DISTINCT CAST(order_purchase_timestamp AS DATE))             AS days_with_sale,
        -- days with a sale
        -- pt-BR: dias com venda
    COUNT(*)                                                           AS items,
        -- items sold
        -- pt-BR: itens vendidos
    COUNT(DISTINCT product_id)                                         AS products,
        -- distinct products sold
        -- pt-BR: produtos distintos vendidos
    SUM(price)                                                         AS revenue,
        -- sales [R$]; none: no sale
        -- pt-BR: vendas [R$]; none: nenhuma venda
    SUM(price) / COUNT(DISTINCT order_id)                              AS avg_ticket,
        -- mean order value [R$]; none: no sale
        -- pt-BR: valor médio do pedido [R$]; none: nenhuma venda
    COUNT(*) / COUNT(DISTINCT order_id)                                AS items_per_order,
        -- items per order; none: no sale
        -- pt-BR: itens por pedido; none: nenhuma venda
    AVG(price)                                                         AS avg_item_price,
        -- mean item price [R$]; none: no sale
        -- pt-BR: preço médio do item [R$]; none: nenhuma venda
    MIN(price)                                                         AS min_item_price,
        -- lowest item price [R$]; none: no sale
        -- pt-BR: menor preço de item [R$]; none: nenhuma venda
    MAX(price)                                                         AS max_item_price,
        -- highest item price [R$]; none: no sale
        -- pt-BR: maior preço de item [R$]; none: nenhuma venda
    datediff(reference_date, MAX(order_purchase_timestamp))            AS days_since_last_order,
        -- days since the last sale; none: no sale
        -- pt-BR: dias desde a última venda; none: nenhuma venda
    datediff(reference_date, MIN(order_purchase_timestamp))            AS days_since_first_order,
        -- days since the first sale; none: no sale
        -- pt-BR: dias desde a primeira venda; none: nenhuma venda
    datediff(MAX(order_purchase_timestamp), MIN(order_purchase_timestamp))
        / (COUNT(DISTINCT CAST(order_purchase_timestamp AS DATE)) - 1) AS avg_days_between_sales,
        -- mean gap between days with a sale [days]; none: fewer than two days with a sale
        -- pt-BR: intervalo médio entre dias com venda [dias]; none: menos de dois dias com venda
    datediff(reference_date, MAX(order_purchase_timestamp))
        * (COUNT(DISTINCT CAST(order_purchase_timestamp AS DATE)) - 1)
        / datediff(MAX(order_purchase_timestamp), MIN(order_purchase_timestamp))
                                                                       AS gaps_since_last_order
        -- time since the last sale, in the seller's own mean gaps; none: fewer than two days with a sale
        -- pt-BR: tempo desde a última venda, em intervalos médios do próprio vendedor; none: menos de dois dias com venda
FROM order_items
JOIN orders USING (order_id)
