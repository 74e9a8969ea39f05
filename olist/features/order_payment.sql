---
entity: orders.order_id
at: order_approved_at
description: How an approved order was paid
---
SELECT
    max_by(payment_type, payment_value)     AS payment_type,
        -- way of payment
        -- pt-BR: forma de pagamento
    MAX(payment_installments)               AS installments,
        -- instalments
        -- pt-BR: parcelas
    SUM(payment_value)                      AS payment_value,
        -- amount paid [R$]
        -- pt-BR: valor pago [R$]
    COUNT(*)                                AS payments
        -- payments of the order
        -- pt-BR: pagamentos do pedido
FROM order_payments
JOIN orders USING (order_id)
