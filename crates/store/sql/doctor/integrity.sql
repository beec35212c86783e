-- What SQLite finds wrong with its own file; `ok` when nothing. Reads the whole file.
SELECT integrity_check AS finding FROM pragma_integrity_check() {{limit 20}}
