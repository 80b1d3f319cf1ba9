CREATE TABLE `attachment` (
	`scope_id` integer NOT NULL,
	`owner` text NOT NULL,
	`id` text NOT NULL,
	`owner_kind` text NOT NULL,
	`owner_key` text NOT NULL,
	`step_id` text,
	`name` text NOT NULL,
	`ord` integer NOT NULL,
	`size` integer,
	`sha256` text,
	`id_length` integer GENERATED ALWAYS AS (length("id")) VIRTUAL,
	PRIMARY KEY(`scope_id`, `owner`, `id`),
	CONSTRAINT "owner_kind_known" CHECK("owner_kind" IN ('testCase', 'testStep', 'testCycle', 'testPlan', 'execution', 'executionStep')),
	CONSTRAINT "size_positive" CHECK("size" >= 0)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `attachment_order` ON `attachment` (`scope_id`,`owner`,`ord`,`id_length`,`id`);--> statement-breakpoint
CREATE TABLE `checkpoint` (
	`scope_id` integer NOT NULL,
	`name` text NOT NULL,
	`value` text NOT NULL,
	PRIMARY KEY(`scope_id`, `name`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `control` (
	`run_id` text NOT NULL,
	`name` text NOT NULL,
	`value` text NOT NULL,
	PRIMARY KEY(`run_id`, `name`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `detail` (
	`scope_id` integer NOT NULL,
	`task` text NOT NULL,
	`key` text NOT NULL,
	`state` text NOT NULL,
	`count` integer NOT NULL,
	PRIMARY KEY(`scope_id`, `task`, `key`),
	CONSTRAINT "state_known" CHECK("state" IN ('done', 'gone', 'setAside'))
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `difference` (
	`id` integer PRIMARY KEY NOT NULL,
	`run_id` text NOT NULL,
	`kind` text NOT NULL,
	`key` text NOT NULL,
	`target_id` text,
	`verdict` text NOT NULL,
	`field` text,
	`expected` text,
	`actual` text,
	CONSTRAINT "verdict_known" CHECK("verdict" IN ('different', 'missing', 'extra', 'duplicate'))
);
--> statement-breakpoint
CREATE INDEX `difference_order` ON `difference` (`run_id`,`id`);--> statement-breakpoint
CREATE TABLE `event` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`run_id` text,
	`type` text NOT NULL,
	`at` text NOT NULL,
	`data` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `event_order` ON `event` (`run_id`,`id`);--> statement-breakpoint
CREATE TABLE `execution_script` (
	`scope_id` integer NOT NULL,
	`execution_id` text NOT NULL,
	`steps` integer NOT NULL,
	PRIMARY KEY(`scope_id`, `execution_id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `execution_step` (
	`scope_id` integer NOT NULL,
	`execution_id` text NOT NULL,
	`ordinal` integer NOT NULL,
	`id` text,
	`description` text,
	`test_data` text,
	`expected_result` text,
	`actual_result` text,
	`data_row` integer,
	`status_id` text,
	PRIMARY KEY(`scope_id`, `execution_id`, `ordinal`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `folder` (
	`scope_id` integer NOT NULL,
	`id` text NOT NULL,
	`folder_type` text NOT NULL,
	`parent_id` text,
	`name` text,
	`index` integer NOT NULL,
	`id_length` integer GENERATED ALWAYS AS (length("id")) VIRTUAL,
	`page_id` integer NOT NULL,
	`ordinal` integer NOT NULL,
	`hash` text NOT NULL,
	PRIMARY KEY(`scope_id`, `id`),
	CONSTRAINT "folder_type_known" CHECK("folder_type" IN ('TEST_CASE', 'TEST_PLAN', 'TEST_CYCLE'))
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `issue` (
	`id` integer PRIMARY KEY NOT NULL,
	`scope_id` integer NOT NULL,
	`phase` text NOT NULL,
	`kind` text NOT NULL,
	`key` text NOT NULL,
	`reason` text NOT NULL,
	`run_id` text NOT NULL,
	`level` text NOT NULL,
	`message` text NOT NULL,
	`payload` text,
	`set_aside` integer NOT NULL,
	`attempts` integer NOT NULL,
	`at` text NOT NULL,
	CONSTRAINT "level_known" CHECK("level" IN ('info', 'warning', 'error', 'critical'))
);
--> statement-breakpoint
CREATE UNIQUE INDEX `issue_identity` ON `issue` (`scope_id`,`key`,`phase`,`kind`,`reason`);--> statement-breakpoint
CREATE INDEX `issue_order` ON `issue` (`scope_id`,`set_aside`,`id`);--> statement-breakpoint
CREATE INDEX `issue_counts` ON `issue` (`scope_id`,`phase`,`kind`,`level`,`set_aside`);--> statement-breakpoint
CREATE TABLE `lease` (
	`scope_id` integer PRIMARY KEY NOT NULL,
	`owner` text NOT NULL,
	`epoch` integer NOT NULL,
	`host` text NOT NULL,
	`pid` integer NOT NULL,
	`heartbeat_at` text NOT NULL,
	`expires_at` text NOT NULL,
	`last_write` text
);
--> statement-breakpoint
CREATE TABLE `lookup` (
	`scope_id` integer NOT NULL,
	`kind` text NOT NULL,
	`id` text NOT NULL,
	`name` text,
	`status_type` text,
	`index` integer,
	`is_default` integer NOT NULL,
	`is_archived` integer NOT NULL,
	`id_length` integer GENERATED ALWAYS AS (length("id")) VIRTUAL,
	`page_id` integer NOT NULL,
	`ordinal` integer NOT NULL,
	`hash` text NOT NULL,
	PRIMARY KEY(`scope_id`, `kind`, `id`),
	CONSTRAINT "kind_known" CHECK("kind" IN ('priority', 'status', 'environment'))
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `loss` (
	`scope_id` integer NOT NULL,
	`key` text NOT NULL,
	`phase` text NOT NULL,
	`kind` text NOT NULL,
	`ordinal` integer NOT NULL,
	`field` text NOT NULL,
	`rule` text NOT NULL,
	`before` text,
	`after` text,
	`about_kind` text,
	`about_key` text,
	PRIMARY KEY(`scope_id`, `key`, `phase`, `kind`, `ordinal`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `loss_rule` ON `loss` (`scope_id`,`rule`);--> statement-breakpoint
CREATE INDEX `loss_about` ON `loss` (`scope_id`,`about_key`) WHERE "about_key" IS NOT NULL;--> statement-breakpoint
CREATE TABLE `page` (
	`id` integer PRIMARY KEY NOT NULL,
	`scope_id` integer NOT NULL,
	`list` text NOT NULL,
	`at` text NOT NULL,
	`part` integer NOT NULL,
	`rows` integer NOT NULL,
	`size` integer NOT NULL,
	`body` blob
);
--> statement-breakpoint
CREATE UNIQUE INDEX `page_place` ON `page` (`scope_id`,`list`,`at`,`part`);--> statement-breakpoint
CREATE TABLE `request_count` (
	`run_id` text NOT NULL,
	`system` text NOT NULL,
	`route` text NOT NULL,
	`status` text NOT NULL,
	`count` integer NOT NULL,
	PRIMARY KEY(`run_id`, `system`, `route`, `status`),
	CONSTRAINT "system_known" CHECK("system" IN ('source', 'target'))
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `run` (
	`sequence` integer PRIMARY KEY NOT NULL,
	`id` text NOT NULL,
	`scope_id` integer NOT NULL,
	`state` text NOT NULL,
	`phases` text NOT NULL,
	`created_at` text NOT NULL,
	`updated_at` text NOT NULL,
	`completed_at` text,
	`result` integer,
	`reason` text,
	`worked_ms` integer NOT NULL,
	`config` text,
	`summary` text,
	CONSTRAINT "state_known" CHECK("state" IN ('created', 'planned', 'extracting', 'transforming', 'loading', 'validating', 'completed', 'paused', 'failed', 'cancelled', 'rolling-back', 'rolled-back'))
);
--> statement-breakpoint
CREATE UNIQUE INDEX `run_identity` ON `run` (`id`);--> statement-breakpoint
CREATE TABLE `scope` (
	`id` integer PRIMARY KEY NOT NULL,
	`source_url` text NOT NULL,
	`source_project` text NOT NULL,
	`target_url` text NOT NULL,
	`target_project` text NOT NULL,
	`root_name` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `scope_identity` ON `scope` (`source_url`,`source_project`,`target_url`,`target_project`,`root_name`);--> statement-breakpoint
CREATE TABLE `target_map` (
	`scope_id` integer NOT NULL,
	`kind` text NOT NULL,
	`key` text NOT NULL,
	`record_kind` text,
	`parent_kind` text,
	`parent_key` text,
	`ord` integer NOT NULL,
	`state` text NOT NULL,
	`target_id` text,
	`payload_hash` text,
	`attempt` integer NOT NULL,
	`sent_at` text,
	`ever_in_doubt` integer NOT NULL,
	`origin` text,
	`run_id` text,
	`steps` integer NOT NULL,
	`steps_as_text` integer NOT NULL,
	`links` integer NOT NULL,
	`detail` text NOT NULL,
	`last_error` text,
	`seen_pass` integer DEFAULT 0 NOT NULL,
	PRIMARY KEY(`scope_id`, `kind`, `key`),
	CONSTRAINT "state_known" CHECK("state" IN ('pending', 'sending', 'inDoubt', 'loaded', 'setAside', 'withoutTarget')),
	CONSTRAINT "origin_known" CHECK("origin" IN ('created', 'adopted', 'updated', 'unchanged'))
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `target_map_order` ON `target_map` (`scope_id`,`kind`,`state`,`ord`,`key`);--> statement-breakpoint
CREATE INDEX `target_map_counts` ON `target_map` (`scope_id`,`kind`,`state`,`record_kind`,`origin`,`run_id`,`steps`,`steps_as_text`,`links`);--> statement-breakpoint
CREATE INDEX `target_map_children` ON `target_map` (`scope_id`,`kind`,`parent_kind`,`parent_key`) WHERE "parent_key" IS NOT NULL;--> statement-breakpoint
CREATE INDEX `target_map_target` ON `target_map` (`scope_id`,`kind`,`target_id`) WHERE "target_id" IS NOT NULL;--> statement-breakpoint
CREATE INDEX `target_map_seen` ON `target_map` (`scope_id`,`kind`,`seen_pass`) WHERE "target_id" IS NOT NULL;--> statement-breakpoint
CREATE INDEX `target_map_doubt` ON `target_map` (`scope_id`,`kind`,`ord`,`key`) WHERE "ever_in_doubt" = 1;--> statement-breakpoint
CREATE TABLE `test_case` (
	`scope_id` integer NOT NULL,
	`id` text NOT NULL,
	`key` text NOT NULL,
	`ord` integer NOT NULL,
	`name` text,
	`folder_id` text,
	`status_id` text,
	`priority_id` text,
	`owner_id` text,
	`component_id` text,
	`created_on` text,
	`objective` text,
	`precondition` text,
	`estimated_time_ms` integer,
	`labels` text NOT NULL,
	`script_route` text,
	`custom_fields` text NOT NULL,
	`links` text NOT NULL,
	`link_count` integer NOT NULL,
	`page_id` integer NOT NULL,
	`ordinal` integer NOT NULL,
	`hash` text NOT NULL,
	PRIMARY KEY(`scope_id`, `key`),
	CONSTRAINT "script_route_known" CHECK("script_route" IN ('teststeps', 'testscript'))
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `test_case_order` ON `test_case` (`scope_id`,`ord`,`key`);--> statement-breakpoint
CREATE INDEX `test_case_counts` ON `test_case` (`scope_id`,`script_route`,`link_count`);--> statement-breakpoint
CREATE TABLE `test_cycle` (
	`scope_id` integer NOT NULL,
	`id` text NOT NULL,
	`key` text NOT NULL,
	`ord` integer NOT NULL,
	`name` text,
	`folder_id` text,
	`status_id` text,
	`description` text,
	`planned_start_date` text,
	`planned_end_date` text,
	`owner_id` text,
	`jira_version_id` text,
	`custom_fields` text NOT NULL,
	`links` text NOT NULL,
	`plan_ids` text NOT NULL,
	`id_length` integer GENERATED ALWAYS AS (length("id")) VIRTUAL,
	`link_count` integer NOT NULL,
	`page_id` integer NOT NULL,
	`ordinal` integer NOT NULL,
	`hash` text NOT NULL,
	PRIMARY KEY(`scope_id`, `id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `test_cycle_order` ON `test_cycle` (`scope_id`,`ord`,`id_length`,`id`);--> statement-breakpoint
CREATE TABLE `test_execution` (
	`scope_id` integer NOT NULL,
	`id` text NOT NULL,
	`key` text,
	`test_case_key` text,
	`ord` integer NOT NULL,
	`test_case_version` integer,
	`test_case_version_id` text,
	`cycle_id` text,
	`status_id` text,
	`environment_id` text,
	`jira_version_id` text,
	`actual_end_date` text,
	`estimated_time_ms` integer,
	`execution_time_ms` integer,
	`executed_by_id` text,
	`assigned_to_id` text,
	`comment` text,
	`automated` integer NOT NULL,
	`custom_fields` text NOT NULL,
	`links` text NOT NULL,
	`case_sort` text GENERATED ALWAYS AS (ifnull("test_case_key", '')) VIRTUAL,
	`cycle_sort` text GENERATED ALWAYS AS (ifnull("cycle_id", '')) VIRTUAL,
	`id_length` integer GENERATED ALWAYS AS (length("id")) VIRTUAL,
	`link_count` integer NOT NULL,
	`page_id` integer NOT NULL,
	`ordinal` integer NOT NULL,
	`hash` text NOT NULL,
	PRIMARY KEY(`scope_id`, `id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `test_execution_order` ON `test_execution` (`scope_id`,`ord`,`case_sort`,`cycle_sort`,`id_length`,`id`);--> statement-breakpoint
CREATE INDEX `test_execution_counts` ON `test_execution` (`scope_id`,`status_id`,`link_count`);--> statement-breakpoint
CREATE TABLE `test_plan` (
	`scope_id` integer NOT NULL,
	`id` text NOT NULL,
	`key` text NOT NULL,
	`ord` integer NOT NULL,
	`name` text,
	`objective` text,
	`folder_id` text,
	`status_id` text,
	`owner_id` text,
	`labels` text NOT NULL,
	`custom_fields` text NOT NULL,
	`links` text NOT NULL,
	`cycle_ids` text NOT NULL,
	`id_length` integer GENERATED ALWAYS AS (length("id")) VIRTUAL,
	`link_count` integer NOT NULL,
	`page_id` integer NOT NULL,
	`ordinal` integer NOT NULL,
	`hash` text NOT NULL,
	PRIMARY KEY(`scope_id`, `id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `test_plan_order` ON `test_plan` (`scope_id`,`ord`,`id_length`,`id`);--> statement-breakpoint
CREATE TABLE `test_script` (
	`scope_id` integer NOT NULL,
	`case_key` text NOT NULL,
	`type` text NOT NULL,
	`text` text,
	PRIMARY KEY(`scope_id`, `case_key`),
	CONSTRAINT "type_known" CHECK("type" IN ('steps', 'plain', 'bdd', 'none'))
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `test_step` (
	`scope_id` integer NOT NULL,
	`case_key` text NOT NULL,
	`ordinal` integer NOT NULL,
	`id` text,
	`description` text,
	`test_data` text,
	`expected_result` text,
	`custom_fields` text NOT NULL,
	`call_key` text,
	`call_parameters` text,
	PRIMARY KEY(`scope_id`, `case_key`, `ordinal`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE VIEW `project` AS
SELECT `id` AS `scope_id`, 'source' AS `system`, `source_url` AS `url`, `source_project` AS `key`, NULL AS `name` FROM `scope`
UNION ALL
SELECT `id`, 'target', `target_url`, `target_project`, NULL FROM `scope`;
--> statement-breakpoint
CREATE VIEW `custom_field` AS
SELECT r.`scope_id`, 'testCase' AS `kind`, r.`key` AS `record_key`, f.`key` AS `name`, f.`type`, f.`value` FROM `test_case` r, json_each(r.`custom_fields`) f
UNION ALL
SELECT r.`scope_id`, 'testCycle', r.`id`, f.`key`, f.`type`, f.`value` FROM `test_cycle` r, json_each(r.`custom_fields`) f
UNION ALL
SELECT r.`scope_id`, 'testPlan', r.`id`, f.`key`, f.`type`, f.`value` FROM `test_plan` r, json_each(r.`custom_fields`) f
UNION ALL
SELECT r.`scope_id`, 'execution', r.`id`, f.`key`, f.`type`, f.`value` FROM `test_execution` r, json_each(r.`custom_fields`) f;
--> statement-breakpoint
CREATE VIEW `link` AS
SELECT r.`scope_id`, 'testCase' AS `kind`, r.`key` AS `record_key`, l.`key` AS `ordinal`, l.`value` ->> 'id' AS `id`, l.`value` ->> 'type' AS `type`, l.`value` ->> 'url' AS `url`, l.`value` ->> 'description' AS `description`, l.`value` ->> 'issueId' AS `issue_id`, l.`value` ->> 'relation' AS `relation` FROM `test_case` r, json_each(r.`links`) l
UNION ALL
SELECT r.`scope_id`, 'testCycle', r.`id`, l.`key`, l.`value` ->> 'id', l.`value` ->> 'type', l.`value` ->> 'url', l.`value` ->> 'description', l.`value` ->> 'issueId', l.`value` ->> 'relation' FROM `test_cycle` r, json_each(r.`links`) l
UNION ALL
SELECT r.`scope_id`, 'testPlan', r.`id`, l.`key`, l.`value` ->> 'id', l.`value` ->> 'type', l.`value` ->> 'url', l.`value` ->> 'description', l.`value` ->> 'issueId', l.`value` ->> 'relation' FROM `test_plan` r, json_each(r.`links`) l
UNION ALL
SELECT r.`scope_id`, 'execution', r.`id`, l.`key`, l.`value` ->> 'id', l.`value` ->> 'type', l.`value` ->> 'url', l.`value` ->> 'description', l.`value` ->> 'issueId', l.`value` ->> 'relation' FROM `test_execution` r, json_each(r.`links`) l;
