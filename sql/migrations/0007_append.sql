-- An entry costs its writer less: the order of its names is looked at in one walk over the text.

create or replace function gdpr.append(event_id uuid, body bytea) returns bytea
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  leaf bytea := sha256('\x00'::bytea || append.body);
  told text;
  read jsonb;
  claimed text;
  is_theirs boolean;
  fields text[];
  standing bytea;
  -- Of the names of a level, each comes behind the one before.
  part text;
  name text collate "C";
  before text[] collate "C" := '{}';
  depth integer := 0;
  is_text boolean := true;
begin
  -- An error of ours says what is wrong and never what stood in the body.
  if append.body is null or append.event_id is null
    or octet_length(append.body) not between 2 and 65535 or get_byte(append.body, 0) <> 1
  then
    raise exception 'a ledger entry needs an event id and a body of format 1' using errcode = 'check_violation';
  end if;
  told := convert_from(substr(append.body, 2), 'UTF8');
  -- With a key twice, two readers could see two kinds.
  if told is not json object with unique keys then
    raise exception 'the body of a ledger entry is no JSON object with each key once' using errcode = 'check_violation';
  end if;
  -- Codes, counts and references need no blank, no escape and no foreign letter; what people write does.
  if told ~ '[^!-\[\]-~]|@[^"]*\.[A-Za-z]{2,}' then
    raise exception 'a ledger entry holds codes, counts and references, and no text' using errcode = 'check_violation';
  end if;
  read := told::jsonb;
  claimed := read ->> 'kind';
  select
    exists (select from gdpr.entry_kind as k where k.kind = claimed and k.writer = session_user),
    array(select f.field from gdpr.entry_field as f)
  into is_theirs, fields;
  if not is_theirs then
    raise exception 'role % may not write ledger entries of this kind', session_user
      using errcode = 'insufficient_privilege';
  end if;
  if read - fields <> '{}' then
    raise exception 'a ledger entry has no such field' using errcode = 'check_violation';
  end if;
  -- The body alone is hashed and goes outside: it says by itself whose it is.
  if read ->> 'writer' is distinct from session_user::text or read ->> 'event' is distinct from append.event_id::text then
    raise exception 'a ledger entry names another writer or event than its own' using errcode = 'check_violation';
  end if;

  -- Whoever reads it, in whatever year, finds it written in its one way: an entry that cannot be read stays for ever.
  if not read ? 'at'
    or read ->> 'at' !~ '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$'
    or read ->> 'request' !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
    or read ->> 'subject' !~ '^[0-9a-f]{64}$'
    -- Numbers are whole ones, nothing is null, and lists hold texts.
    or told ~ '":(-|\d+[.eE]|[tfn])|[\[,][^"\]]'
    or jsonb_path_exists(read, '$.*.*.*.*')
  then
    raise exception 'a ledger entry is not written in its one way' using errcode = 'check_violation';
  end if;
  -- Between quotes stands, in turns, what is outside of texts and what is inside: no text holds a quote.
  foreach part in array string_to_array(told, '"') loop
    is_text := not is_text;
    if is_text then
      name := part;
    else
      if starts_with(part, ':') then
        if name <= before[depth] then
          raise exception 'a ledger entry is not written in its one way' using errcode = 'check_violation';
        end if;
        before[depth] := name;
      end if;
      depth := depth + length(replace(part, '}', '')) - length(replace(part, '{', ''));
      if right(part, 1) = '{' then
        before[depth] := null;
      end if;
    end if;
  end loop;

  insert into gdpr.entry (writer, kind, event_id, body, leaf_hash, request, subject)
  values (
    session_user, claimed, append.event_id, append.body, leaf,
    (read ->> 'request')::uuid, decode(read ->> 'subject', 'hex')
  )
  on conflict on constraint entry_event do nothing;
  if not found then
    select e.leaf_hash into standing
    from gdpr.entry as e
    where e.writer = session_user and e.event_id = append.event_id;
    if standing is distinct from leaf then
      raise exception 'another ledger entry stands under this event id' using errcode = 'unique_violation';
    end if;
  end if;
  return leaf;
end
$$;
