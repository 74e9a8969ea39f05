---
entity: seller_id
time: order_purchase_timestamp
windows: [30d, 90d, 6mo]
description: What the orders of a seller are worth, and what their freight costs; an order is its items of this seller
---
SELECT
    MIN(order_value)                         AS min_order_value,
        -- smallest order value [R$]; none: no order
        -- pt-BR: menor valor de pedido [R$]; none: nenhum pedido
    MAX(order_value)                         AS max_order_value,
        -- largest order value [R$]; none: no order
        -- pt-BR: maior valor de pedido [R$]; none: nenhum pedido
    AVG(order_value)                         AS avg_order_value,
        -- mean order value, item prices added up [R$]; none: no order
        -- pt-BR: valor médio do pedido, soma dos itens [R$]; none: nenhum pedido
    STDDEV(order_value)                      AS std_order_value,
        -- spread of order values (standard deviation) [R$]; none: fewer than two orders
        -- pt-BR: dispersão do valor dos pedidos (desvio padrão) [R$]; none: menos de dois pedidos
    AVG(order_freight)                       AS avg_freight,
        -- mean freight per order [R$]; none: no order
        -- pt-BR: frete médio por pedido [R$]; none: nenhum pedido
    MEDIAN(order_freight)                    AS median_freight,
        -- median freight per order [R$]; none: no order
        -- pt-BR: frete mediano por pedido [R$]; none: nenhum pedido
    MIN(order_freight)                       AS min_freight,
        -- lowest freight of an order [R$]; none: no order
        -- pt-BR: menor frete de um pedido [R$]; none: nenhum pedido
    MAX(order_freight)                       AS max_freight,
        -- highest freight of an order [R$]; none: no order
        -- pt-BR: maior frete de um pedido [R$]; none: nenhum pedido
    SUM(order_freight) / SUM(order_value)    AS freight_per_price
        -- freight relative to price [%]; none: no order
        -- pt-BR: frete em relação ao preço [%]; none: nenhum pedido
FROM (
    SELECT
        seller_id,
        order_id,
        order_purchase_timestamp,
        SUM(price)         AS order_value,
        SUM(freight_value) AS order_freight
    FROM order_items
    JOIN orders USING (order_id)
    GROUP BY seller_id, order_id, order_purchase_timestamp
) AS order_values
