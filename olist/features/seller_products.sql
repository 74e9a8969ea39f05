---
entity: seller_id
time: last_sale       # a product is in a window once, by its latest sale before the reference date
windows: [6mo]
description: The distinct products that a seller sold
---
SELECT
    COUNT(*)                                                                    AS products_sold,
    AVG(COALESCE(product_photos_qty, 0))                                        AS avg_photos,
    AVG(product_length_cm * product_height_cm * product_width_cm)               AS avg_volume_cm3,
    MEDIAN(product_length_cm * product_height_cm * product_width_cm)            AS median_volume_cm3,
    MIN(product_length_cm * product_height_cm * product_width_cm)               AS min_volume_cm3,
    MAX(product_length_cm * product_height_cm * product_width_cm)               AS max_volume_cm3,
    AVG(product_weight_g)                                                       AS avg_weight_g,
    COUNT(DISTINCT product_category_name)                                       AS categories,
    {% for category in ['cama_mesa_banho', 'beleza_saude', 'esporte_lazer', 'informatica_acessorios', 'moveis_decoracao', 'utilidades_domesticas', 'relogios_presentes', 'telefonia', 'automotivo', 'brinquedos', 'cool_stuff', 'ferramentas_jardim', 'perfumaria', 'bebes', 'eletronicos'] %}
    COUNT(*) FILTER (WHERE product_category_name = '{{ category }}') / COUNT(*)
        AS category_share_{{ category }}{{ '' if loop.last else ',' }}
    {% endfor %}
FROM (
    SELECT seller_id, product_id, MAX(order_purchase_timestamp) AS last_sale
    FROM order_items
    JOIN orders USING (order_id)
    GROUP BY seller_id, product_id
) AS sold
JOIN products USING (product_id)
