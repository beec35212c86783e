-- Every project. A scan of projects, which is small.
SELECT id FROM projects ORDER BY id
