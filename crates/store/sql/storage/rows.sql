-- How much there is to lose. Two scans of indexes.
SELECT (SELECT COUNT(*) FROM runs) AS runs_found, (SELECT COUNT(*) FROM flows) AS flows_found
