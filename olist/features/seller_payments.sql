---
entity: seller_id
time: order_purchase_timestamp
windows: [6mo]
description: How a seller's orders are paid
---
SELECT
    {% for type, english, portuguese in [
        ('boleto', 'boleto', 'boleto'),
        ('credit_card', 'credit card', 'cartão de crédito'),
        ('voucher', 'voucher', 'voucher'),
        ('debit_card', 'debit card', 'cartão de débito'),
    ] %}
    COUNT(DISTINCT orders.order_id) FILTER (WHERE payment_type = '{{ type }}')  AS {{ type }}_orders,
        -- orders paid by {{ english }}
        -- pt-BR: pedidos pagos com {{ portuguese }}
    SUM(payment_value) FILTER (WHERE payment_type = '{{ type }}')               AS {{ type }}_value,
        -- value paid by {{ english }} [R$]; none: nothing paid by {{ english }}
        -- pt-BR: valor pago com {{ portuguese }} [R$]; none: nada pago com {{ portuguese }}
    COUNT(DISTINCT orders.order_id) FILTER (WHERE payment_type = '{{ type }}') / COUNT(DISTINCT orders.order_id)
        AS {{ type }}_order_share,
        -- share of orders paid by {{ english }} [%]; none: no order
        -- pt-BR: parcela de pedidos pagos com {{ portuguese }} [%]; none: nenhum pedido
    COALESCE(SUM(payment_value) FILTER (WHERE payment_type = '{{ type }}'), 0) / SUM(payment_value)
        AS {{ type }}_value_share,
        -- share of value paid by {{ english }} [%]; none: no payment
        -- pt-BR: parcela do valor pago com {{ portuguese }} [%]; none: nenhum pagamento
    {% endfor %}
    AVG(payment_installments) FILTER (WHERE payment_type = 'credit_card')       AS avg_installments,
        -- mean instalments on credit cards; none: no credit card payment
        -- pt-BR: média de parcelas no cartão de crédito; none: nenhum pagamento com cartão de crédito
    MEDIAN(payment_installments) FILTER (WHERE payment_type = 'credit_card')    AS median_installments,
        -- median instalments on credit cards; none: no credit card payment
        -- pt-BR: mediana de parcelas no cartão de crédito; none: nenhum pagamento com cartão de crédito
    MIN(payment_installments) FILTER (WHERE payment_type = 'credit_card')       AS min_installments,
        -- fewest instalments on credit cards; none: no credit card payment
        -- pt-BR: mínimo de parcelas no cartão de crédito; none: nenhum pagamento com cartão de crédito
    MAX(payment_installments) FILTER (WHERE payment_type = 'credit_card')       AS max_installments
        -- most instalments on credit cards; none: no credit card payment
        -- pt-BR: máximo de parcelas no cartão de crédito; none: nenhum pagamento com cartão de crédito
FROM (SELECT DISTINCT seller_id, order_id FROM order_items) AS sold
JOIN orders ON orders.order_id = sold.order_id
JOIN order_payments ON order_payments.order_id = orders.order_id
