---
entity: orders.order_id
at: order_approved_at
description: What an approved order says of itself - promise, goods, where from and where to
---
SELECT
    (unix_date(CAST(MAX(order_estimated_delivery_date) AS DATE)) + 1) - unix_micros(reference_time) / 86400000000     AS promised_days,
        -- days from approval to the end of the promised day
        -- pt-BR: dias da aprovação ao fim do dia prometido
    (unix_date(CAST(MAX(order_estimated_delivery_date) AS DATE)) + 1) - unix_micros(MAX(order_purchase_timestamp)) / 86400000000 AS promised_days_from_purchase,
        -- days from purchase to the end of the promised day
        -- pt-BR: dias da compra ao fim do dia prometido
    (unix_micros(reference_time) - unix_micros(MAX(order_purchase_timestamp))) / 3600000000            AS hours_to_approval,
        -- hours from purchase to approval
        -- pt-BR: horas da compra à aprovação
    (unix_micros(MAX(shipping_limit_date)) - unix_micros(reference_time)) / 86400000000                 AS days_to_shipping_limit,
        -- days from approval to the shipping limit; none: no shipping limit
        -- pt-BR: dias da aprovação ao limite de postagem; none: nenhum limite de postagem
    (unix_date(CAST(MAX(order_estimated_delivery_date) AS DATE)) + 1) - unix_micros(MAX(shipping_limit_date)) / 86400000000 AS days_limit_to_promise,
        -- days from the shipping limit to the end of the promised day; none: no shipping limit
        -- pt-BR: dias do limite de postagem ao fim do dia prometido; none: nenhum limite de postagem
    weekday(reference_time)                                         AS weekday,
        -- weekday of the approval, 0 is Monday
        -- pt-BR: dia da semana da aprovação, 0 é segunda-feira
    hour(reference_time)                                            AS hour,
        -- hour of the approval
        -- pt-BR: hora da aprovação
    weekday(MAX(order_estimated_delivery_date))                     AS promised_weekday,
        -- weekday of the promised day, 0 is Monday
        -- pt-BR: dia da semana prometido, 0 é segunda-feira
    {# National holidays that are no weekends, Carnival included. #}
{% for day in [
    '2016-10-12', '2016-11-02', '2016-11-15',
    '2017-02-27', '2017-02-28', '2017-04-14', '2017-04-21', '2017-05-01', '2017-06-15', '2017-09-07', '2017-10-12', '2017-11-02', '2017-11-15', '2017-12-25',
    '2018-01-01', '2018-02-12', '2018-02-13', '2018-03-30', '2018-05-01', '2018-05-31', '2018-09-07', '2018-10-12', '2018-11-02', '2018-11-15', '2018-12-25'] %}
    CASE WHEN DATE '{{ day }}' > CAST(reference_time AS DATE) AND DATE '{{ day }}' <= CAST(MAX(order_estimated_delivery_date) AS DATE) THEN 1 ELSE 0 END {{ '' if loop.last else '+' }}
{% endfor %}
                                                                    AS promised_holidays,
        -- holidays on weekdays after the approval, up to the promised day
        -- pt-BR: feriados em dias de semana depois da aprovação, até o dia prometido
    {# Weekdays since the first week of 1970: five a week, and those of the week begun. #}
{% macro weekdays(date) %}(5 * floor((unix_date(CAST({{ date }} AS DATE)) + 4) / 7) + LEAST(unix_date(CAST({{ date }} AS DATE)) + 4 - 7 * floor((unix_date(CAST({{ date }} AS DATE)) + 4) / 7), 5)){% endmacro %}
    {{ weekdays('MAX(order_estimated_delivery_date)') }} - {{ weekdays('reference_time') }}
                                                                    AS promised_weekdays,
        -- weekdays after the approval, up to the promised day
        -- pt-BR: dias de semana depois da aprovação, até o dia prometido
    COUNT(*)                                                        AS items,
        -- items of the order
        -- pt-BR: itens do pedido
    CASE WHEN MIN(seller_id) = MAX(seller_id) THEN 0 ELSE 1 END     AS several_sellers,
        -- from several sellers [?]
        -- pt-BR: de vários vendedores [?]
    SUM(price)                                                      AS price,
        -- price of the goods [R$]
        -- pt-BR: preço dos produtos [R$]
    SUM(freight_value)                                              AS freight,
        -- freight of the order [R$]
        -- pt-BR: frete do pedido [R$]
    SUM(freight_value) / (SUM(price) + SUM(freight_value))          AS freight_share,
        -- freight as a share of the order [%]
        -- pt-BR: frete como parcela do pedido [%]
    SUM(freight_value) / (SUM(product_weight_g) / 1000)             AS freight_per_kg,
        -- freight per kilogram [R$]; none: weight unknown
        -- pt-BR: frete por quilograma [R$]; none: peso desconhecido
    SUM(product_weight_g) / 1000                                    AS weight_kg,
        -- weight [kg]; none: weight unknown
        -- pt-BR: peso [kg]; none: peso desconhecido
    SUM(product_length_cm * product_height_cm * product_width_cm) / 1000 AS volume_l,
        -- volume [l]; none: size unknown
        -- pt-BR: volume [l]; none: tamanho desconhecido
    MAX(GREATEST(product_length_cm, product_height_cm, product_width_cm)) AS longest_cm,
        -- longest side of a product [cm]; none: size unknown
        -- pt-BR: maior lado de um produto [cm]; none: tamanho desconhecido
    MAX(CASE WHEN seller_state = customer_state THEN 0 ELSE 1 END)  AS leaves_state,
        -- goes to another state [?]
        -- pt-BR: vai para outro estado [?]
    MAX(customer_state)                                             AS customer_state,
        -- state of the customer
        -- pt-BR: estado do cliente
    MAX(LEFT(customer_zip_code_prefix, 3))                          AS zip_area,
        -- zip area of the customer
        -- pt-BR: região do CEP do cliente
    {# Of several sellers and products, those of the first item. #}
    MAX(seller_state) FILTER (WHERE order_item_id = 1)              AS seller_state,
        -- state of the seller
        -- pt-BR: estado do vendedor
    MAX(seller_id) FILTER (WHERE order_item_id = 1)                 AS seller,
        -- seller
        -- pt-BR: vendedor
    MAX(product_category_name) FILTER (WHERE order_item_id = 1)     AS category,
        -- category; none: no category
        -- pt-BR: categoria; none: sem categoria
    COUNT(order_delivered_customer_date)                            AS delivered_items
        -- items delivered already
        -- pt-BR: itens já entregues
FROM order_items
JOIN orders USING (order_id)
JOIN customers USING (customer_id)
JOIN sellers USING (seller_id)
JOIN products USING (product_id)
