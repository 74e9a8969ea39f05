---
entity: seller_id
time: last_sale       # a product is in a window once, by its latest sale before the reference date
windows: [6mo]
description: The distinct products that a seller sold
---
SELECT
    COUNT(*)                                                                    AS products_sold,
        -- distinct products, by latest sale
        -- pt-BR: produtos distintos, pela última venda
    AVG(COALESCE(product_photos_qty, 0))                                        AS avg_photos,
        -- mean photos per product; none: no product sold
        -- pt-BR: média de fotos por produto; none: nenhum produto vendido
    AVG(product_length_cm * product_height_cm * product_width_cm)               AS avg_volume_cm3,
        -- mean product volume [cm³]; none: no product of known size
        -- pt-BR: média do volume do produto [cm³]; none: nenhum produto de tamanho conhecido
    MEDIAN(product_length_cm * product_height_cm * product_width_cm)            AS median_volume_cm3,
        -- median product volume [cm³]; none: no product of known size
        -- pt-BR: mediana do volume do produto [cm³]; none: nenhum produto de tamanho conhecido
    MIN(product_length_cm * product_height_cm * product_width_cm)               AS min_volume_cm3,
        -- smallest product volume [cm³]; none: no product of known size
        -- pt-BR: menor volume do produto [cm³]; none: nenhum produto de tamanho conhecido
    MAX(product_length_cm * product_height_cm * product_width_cm)               AS max_volume_cm3,
        -- largest product volume [cm³]; none: no product of known size
        -- pt-BR: maior volume do produto [cm³]; none: nenhum produto de tamanho conhecido
    AVG(product_weight_g)                                                       AS avg_weight_g,
        -- mean product weight [g]; none: no product of known weight
        -- pt-BR: peso médio do produto [g]; none: nenhum produto de peso conhecido
    COUNT(DISTINCT product_category_name)                                       AS categories,
        -- distinct categories
        -- pt-BR: categorias distintas
    {% for category, english, portuguese in [
        ('cama_mesa_banho', 'bed, bath and table', 'cama, mesa e banho'),
        ('beleza_saude', 'health and beauty', 'beleza e saúde'),
        ('esporte_lazer', 'sports and leisure', 'esporte e lazer'),
        ('informatica_acessorios', 'computers and accessories', 'informática e acessórios'),
        ('moveis_decoracao', 'furniture and decoration', 'móveis e decoração'),
        ('utilidades_domesticas', 'housewares', 'utilidades domésticas'),
        ('relogios_presentes', 'watches and gifts', 'relógios e presentes'),
        ('telefonia', 'telephony', 'telefonia'),
        ('automotivo', 'automotive', 'automotivo'),
        ('brinquedos', 'toys', 'brinquedos'),
        ('cool_stuff', 'cool stuff', 'cool stuff'),
        ('ferramentas_jardim', 'tools and garden', 'ferramentas e jardim'),
        ('perfumaria', 'perfumery', 'perfumaria'),
        ('bebes', 'baby', 'bebês'),
        ('eletronicos', 'electronics', 'eletrônicos'),
    ] %}
    COUNT(*) FILTER (WHERE product_category_name = '{{ category }}') / COUNT(*)
        AS category_share_{{ category }}{{ '' if loop.last else ',' }}
        -- share of products in {{ english }} [%]; none: no product sold
        -- pt-BR: parcela de produtos em {{ portuguese }} [%]; none: nenhum produto vendido
    {% endfor %}
FROM (
    SELECT seller_id, product_id, MAX(order_purchase_timestamp) AS last_sale
    FROM order_items
    JOIN orders USING (order_id)
    GROUP BY seller_id, product_id
) AS sold
JOIN products USING (product_id)
