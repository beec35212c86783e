-- Takes the trunk away.
DROP TABLE projects;
