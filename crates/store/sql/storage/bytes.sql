-- How large the database is, in bytes, free pages included. No index: two header fields.
SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()
