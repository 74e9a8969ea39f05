---
entity: []
time: lent_at
windows: [14d]
description: How busy the library is
---
SELECT COUNT(*) AS library_loans FROM loans
