-- What there is: whether a backup may be restored here, and whether all of it was. Scans of indexes.
SELECT (SELECT COUNT(*) FROM projects) AS projects_found,
       (SELECT COUNT(*) FROM flows) AS flows_found,
       (SELECT COUNT(*) FROM flow_versions) AS versions_found,
       (SELECT COUNT(*) FROM blobs) AS blobs_found,
       (SELECT COUNT(*) FROM runs) AS runs_found
