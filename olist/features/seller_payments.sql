---
entity: seller_id
time: order_purchase_timestamp
windows: [6mo]
description: How a seller's orders are paid
---
SELECT
    {% for type in ['boleto', 'credit_card', 'voucher', 'debit_card'] %}
    COUNT(DISTINCT orders.order_id) FILTER (WHERE payment_type = '{{ type }}')  AS {{ type }}_orders,
    SUM(payment_value) FILTER (WHERE payment_type = '{{ type }}')               AS {{ type }}_value,
    COUNT(DISTINCT orders.order_id) FILTER (WHERE payment_type = '{{ type }}') / COUNT(DISTINCT orders.order_id)
        AS {{ type }}_order_share,
    COALESCE(SUM(payment_value) FILTER (WHERE payment_type = '{{ type }}'), 0) / SUM(payment_value)
        AS {{ type }}_value_share,
    {% endfor %}
    AVG(payment_installments) FILTER (WHERE payment_type = 'credit_card')       AS avg_installments,
    MEDIAN(payment_installments) FILTER (WHERE payment_type = 'credit_card')    AS median_installments,
    MIN(payment_installments) FILTER (WHERE payment_type = 'credit_card')       AS min_installments,
    MAX(payment_installments) FILTER (WHERE payment_type = 'credit_card')       AS max_installments
FROM (SELECT DISTINCT seller_id, order_id FROM order_items) AS sold
JOIN orders ON orders.order_id = sold.order_id
JOIN order_payments ON order_payments.order_id = orders.order_id
