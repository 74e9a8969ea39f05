---
entity: loan_id
at: lent_at
description: What a loan says of itself when it begins
---
SELECT
    MAX(unix_date(due_on)) + 1 - unix_micros(reference_time) / 86400000000  AS loan_days,
        -- days until the last day of the loan is over
    MAX(reader_id)                                          AS reader,
    MAX(loans.branch_id)                                    AS branch,
    MAX(district)                                           AS district,
    MAX(pages)                                              AS pages,
    hour(reference_time)                                    AS hour,
    COUNT(returned_at)                                      AS returned
FROM loans
JOIN branches ON branches.branch_id = loans.branch_id
