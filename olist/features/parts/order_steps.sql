{#
One row for each step of an order, at the moment of the step, with what is known by then: whether the order is late, when it was
approved, shipped and delivered in days since 1970, and how many days were promised from the approval on. The caller says FROM
which rows, joined with orders, and which columns of them it needs besides:

    {% from "parts/order_steps.sql" import order_steps %}
    ...
    FROM (
    {% call order_steps(['customer_state']) %}
        FROM orders
        JOIN customers USING (customer_id)
    {% endcall %}
    ) AS steps
#}
{% macro order_steps(columns) %}
{% for step, moment in [
    ('approved', 'order_approved_at'),
    ('shipped', 'order_delivered_carrier_date'),
    ('delivered', 'order_delivered_customer_date'),
    ('settled', 'promise_settled_at')] %}
    SELECT
    {% for column in columns %}
        {{ column }},
    {% endfor %}
        '{{ step }}' AS step,
        {{ moment }} AS moment,
        is_late,
        unix_micros(order_approved_at) / 86400000000 AS approved,
        unix_micros(order_delivered_carrier_date) / 86400000000 AS shipped,
        unix_micros(order_delivered_customer_date) / 86400000000 AS delivered,
        unix_date(CAST(order_estimated_delivery_date AS DATE)) + 1 - unix_micros(order_approved_at) / 86400000000 AS promised_days
{{ caller() }}
    WHERE {{ moment }} IS NOT NULL
    {{ '' if loop.last else 'UNION ALL' }}
{% endfor %}
{% endmacro %}
