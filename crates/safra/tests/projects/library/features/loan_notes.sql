---
entity: loan_id
at: lent_at
description: What the staff had noted about the reader by then
---
SELECT
    COUNT(note_id)          AS notes,
    MAX(written_at) = reference_time AS noted_now
FROM loans
LEFT JOIN notes ON notes.reader_id = loans.reader_id
