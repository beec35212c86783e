-- How many projects are not deleted. A scan of projects, which is small.
SELECT COUNT(*) AS found FROM projects WHERE deleted_at IS NULL
