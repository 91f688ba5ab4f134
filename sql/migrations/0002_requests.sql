-- The register of requests, with the steps that each role may take.

create table gdpr.request (
  id uuid primary key default gen_random_uuid(),
  subject_request_id uuid not null,
  action text not null,
  status text not null default 'in_progress',
  -- When the controller got it, on whatever way: the law's clock starts here, so it is never filled in by default.
  received_at timestamptz not null,
  registered_at timestamptz not null default clock_timestamp(),
  changed_at timestamptz not null default clock_timestamp(),
  -- The same request may come twice; it is the same request then.
  constraint request_once unique (subject_request_id, action),
  constraint request_action check (action in ('export', 'erase')),
  constraint request_status check (
    status in (
      'in_progress', 'completed', 'incomplete', 'refused', 'not_identified', 'blocked', 'rejected', 'failed'
    )
  ),
  -- Nobody receives a request after registering it, nor before there was a law to ask by.
  constraint request_received check (received_at between timestamptz '2018-05-25 00:00Z' and registered_at)
);
comment on table gdpr.request is 'Every request, once. No personal data: who it is about is sealed elsewhere.';
grant select on gdpr.request to gdpr_export, gdpr_erase, gdpr_verify, gdpr_audit;
grant insert (subject_request_id, action, received_at) on gdpr.request to gdpr_audit;

-- Which role may move a request from which status to which. Rows are added by migrations only.
create table gdpr.request_step (
  action text not null,
  from_status text not null,
  to_status text not null,
  role name not null,
  primary key (action, from_status, to_status, role)
);
comment on table gdpr.request_step is 'The allowed steps of a request, and whose they are.';
grant select on gdpr.request_step to gdpr_export, gdpr_erase, gdpr_verify, gdpr_audit;

insert into gdpr.request_step (action, from_status, to_status, role) values
('export', 'in_progress', 'completed', 'gdpr_export'),
('export', 'in_progress', 'incomplete', 'gdpr_export'),
('export', 'in_progress', 'failed', 'gdpr_export'),
('export', 'in_progress', 'blocked', 'gdpr_export'),
('export', 'incomplete', 'in_progress', 'gdpr_export'),
('export', 'failed', 'in_progress', 'gdpr_export'),
('export', 'blocked', 'in_progress', 'gdpr_audit'),
('export', 'in_progress', 'not_identified', 'gdpr_audit'),
('export', 'in_progress', 'refused', 'gdpr_audit'),
-- Only verification, which is not who erased, says that an erasure is completed.
('erase', 'in_progress', 'completed', 'gdpr_verify'),
('erase', 'in_progress', 'incomplete', 'gdpr_verify'),
('erase', 'in_progress', 'failed', 'gdpr_erase'),
('erase', 'in_progress', 'blocked', 'gdpr_erase'),
('erase', 'incomplete', 'in_progress', 'gdpr_erase'),
('erase', 'failed', 'in_progress', 'gdpr_erase'),
('erase', 'blocked', 'in_progress', 'gdpr_audit'),
('erase', 'in_progress', 'not_identified', 'gdpr_audit'),
('erase', 'in_progress', 'refused', 'gdpr_audit');

create function gdpr.move_request(request_id uuid, to_status text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  standing gdpr.request;
begin
  select * into standing from gdpr.request as r where r.id = move_request.request_id;
  if not found then
    raise exception 'there is no such request' using errcode = 'no_data_found';
  end if;
  -- Before the lock: who may never take this step shall not keep from it those who may.
  if not exists (
    select from gdpr.request_step as s
    where s.action = standing.action and s.to_status = move_request.to_status and s.role = session_user
  ) then
    raise exception 'role % may not move this request to this status', session_user
      using errcode = 'insufficient_privilege';
  end if;
  select * into standing from gdpr.request as r where r.id = move_request.request_id for no key update;
  if standing.status = move_request.to_status then
    return standing.status;  -- a retry after a crash behind the commit
  end if;
  if not exists (
    select from gdpr.request_step as s
    where s.action = standing.action and s.from_status = standing.status
      and s.to_status = move_request.to_status and s.role = session_user
  ) then
    raise exception 'role % may not move this request from % to %', session_user, standing.status, move_request.to_status
      using errcode = 'insufficient_privilege';
  end if;
  update gdpr.request as r
  set status = move_request.to_status, changed_at = clock_timestamp()
  where r.id = move_request.request_id;
  return move_request.to_status;
end
$$;
comment on function gdpr.move_request is 'The only way in which the status of a request changes.';
grant execute on function gdpr.move_request to gdpr_export, gdpr_erase, gdpr_verify, gdpr_audit;
