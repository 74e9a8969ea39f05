---
entity: seller_id
time: order_purchase_timestamp
windows: [30d, 90d, 6mo]
description: What customers said of a seller's orders, as far as they had answered
---
SELECT
    AVG(review_score)                                            AS avg_review_score,
    MEDIAN(review_score)                                         AS median_review_score,
    MIN(review_score)                                            AS min_review_score,
    MAX(review_score)                                            AS max_review_score,
    COUNT(review_score)                                          AS reviews,
    COUNT(*) FILTER (WHERE review_score <= 2) / COUNT(review_score)
                                                                 AS bad_review_share,
    COUNT(DISTINCT order_reviews.order_id) / COUNT(DISTINCT orders.order_id)
                                                                 AS reviewed_order_share
FROM (SELECT DISTINCT seller_id, order_id FROM order_items) AS sold
JOIN orders ON orders.order_id = sold.order_id
LEFT JOIN order_reviews ON order_reviews.order_id = orders.order_id
