---
entity: orders.order_id
at: order_approved_at
description: How far an approved order travels, as the crow flies between the zip areas (haversine formula); of several items the farthest
---
{% macro kilometres() %}12742 * asin(sqrt(
        power(sin(radians(customer_zip.latitude - seller_zip.latitude) / 2), 2)
        + cos(radians(customer_zip.latitude)) * cos(radians(seller_zip.latitude))
            * power(sin(radians(customer_zip.longitude - seller_zip.longitude) / 2), 2)
    )){% endmacro %}
SELECT
    MAX({{ kilometres() }})         AS distance_km,
        -- distance from seller to customer [km]; none: a place is unknown
        -- pt-BR: distância do vendedor ao cliente [km]; none: um dos lugares é desconhecido
    (unix_date(CAST(MAX(order_estimated_delivery_date) AS DATE)) + 1 - unix_micros(reference_time) / 86400000000) / (MAX({{ kilometres() }}) + 100) AS promised_days_per_km,
        -- promised days per kilometre, 100 km added; none: a place is unknown
        -- pt-BR: dias prometidos por quilômetro, mais 100 km; none: um dos lugares é desconhecido
    MAX(customer_zip.latitude)      AS customer_latitude,
        -- latitude of the customer [°]; none: place unknown
        -- pt-BR: latitude do cliente [°]; none: lugar desconhecido
    MAX(customer_zip.longitude)     AS customer_longitude,
        -- longitude of the customer [°]; none: place unknown
        -- pt-BR: longitude do cliente [°]; none: lugar desconhecido
    MAX(seller_zip.latitude)        AS seller_latitude
        -- latitude of the seller [°]; none: place unknown
        -- pt-BR: latitude do vendedor [°]; none: lugar desconhecido
FROM order_items
JOIN orders USING (order_id)
JOIN customers USING (customer_id)
JOIN sellers USING (seller_id)
{% for side in ['customer', 'seller'] %}
{# Points outside Brazil are errors. #}
LEFT JOIN (
    SELECT geolocation_zip_code_prefix AS zip, AVG(geolocation_lat) AS latitude, AVG(geolocation_lng) AS longitude
    FROM geolocation
    WHERE geolocation_lat BETWEEN -34 AND 6 AND geolocation_lng BETWEEN -74 AND -34
    GROUP BY geolocation_zip_code_prefix
) AS {{ side }}_zip ON {{ side }}_zip.zip = {{ side }}_zip_code_prefix
{% endfor %}
