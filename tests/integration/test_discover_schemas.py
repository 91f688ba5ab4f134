"""What discovery proposes for schemas as applications have them, on a real Postgres."""

from __future__ import annotations

import pytest

from datamap.names import Table as Name
from tests.integration.site import USERS, Site, link, links


def test_a_person_is_found_where_no_foreign_key_says_so(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table orders (id bigint primary key, user_id integer, total numeric);
        insert into orders select g, 1 + g * 7 % 60, g from generate_series(1, 90) as g;
        create table order_items (id bigint primary key, order_id integer, sku text);
        insert into order_items select g, 1 + g % 90, 'sku' from generate_series(1, 200) as g;
        """
    )
    assert link(found, "orders", "user_id").kind == "person"
    assert link(found, "orders", "user_id").role == "owner"
    assert link(found, "order_items", "order_id").target == Name("public", "orders")
    assert found.of("orders").erase == found.of("order_items").erase == "delete"


def test_values_that_no_person_has_refute_a_name_and_are_asked_about(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table tallies (id bigint primary key, user_id integer);
        insert into tallies select g, 100000 + g from generate_series(1, 50) as g;
        """
    )
    assert not found.of("tallies").links
    assert found.of("tallies").erase == "undecided"


def test_a_name_that_fits_two_tables_with_the_same_numbers_stays_undecided(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table teams (id bigint primary key, name text);
        insert into teams select g, 'team' from generate_series(1, 60) as g;
        create table boards (id bigint primary key, owner_id bigint, title text);
        insert into boards select g, 1 + g % 40, 'b' from generate_series(1, 60) as g;
        """
    )
    assert link(found, "boards", "owner_id").role == "undecided"
    assert found.of("boards").erase == "undecided"


def test_numbers_beyond_one_of_two_tables_break_the_tie(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table teams (id bigint primary key, name text);
        insert into teams select g, 'team' from generate_series(1, 5) as g;
        create table boards (id bigint primary key, owner_id bigint, title text);
        insert into boards select g, 1 + g % 60, 'b' from generate_series(1, 60) as g;
        """
    )
    assert link(found, "boards", "owner_id").kind == "person"
    assert link(found, "boards", "owner_id").role == "owner"


def test_uuids_say_whose_they_are_under_any_name_and_type(site: Site) -> None:
    found = site.proposed(
        """
        create table users (id uuid primary key, email text, password text);
        insert into users select gen_random_uuid(), 'p' || g || '@example.org', 'x' from generate_series(1, 40) as g;
        create table things (id bigint primary key, made_for varchar(36), subject_ref uuid);
        insert into things select row_number() over (), id::text, id from users;
        """
    )
    assert "subject_ref" in links(found, "things")


def test_a_number_of_people_is_no_person(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table counters (id bigint primary key, followers integer, viewed integer, likes integer, day date);
        insert into counters select g, g % 50 + 1, g % 40 + 1, g % 30 + 1 from generate_series(1, 50) as g;
        """
    )
    assert not found.of("counters").personal


def test_an_empty_table_is_judged_by_its_names_with_little_confidence(site: Site) -> None:
    found = site.proposed(USERS + "create table notes (id bigint primary key, author_id bigint, body text);")
    assert link(found, "notes", "author_id").confidence == "low"
    assert link(found, "notes", "author_id").role == "undecided"
    assert found.of("notes").erase == "undecided"


def test_a_polymorphic_pair_is_one_link_for_each_word(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table posts (id bigint primary key, user_id bigint references users, body text);
        insert into posts select g, 1 + g % 60, 'text' from generate_series(1, 70) as g;
        create table products (id bigint primary key, title text);
        insert into products select g, 'p' from generate_series(1, 60) as g;
        create table pictures (id bigint primary key, imageable_type text, imageable_id bigint, file text);
        insert into pictures select g, (array['App\\Models\\User', 'App\\Models\\Post',
          'App\\Models\\Product'])[1 + g % 3],
          1 + g % 50, 'f' from generate_series(1, 90) as g;
        """
    )
    found_links = [each for each in found.of("pictures").links if str(each.place) == "imageable_id"]
    by_target = {each.target.name: each for each in found_links}
    assert by_target["users"].when == r"imageable_type = 'App\Models\User'"
    assert by_target["posts"].when == r"imageable_type = 'App\Models\Post'"
    assert by_target["users"].is_person
    assert not by_target["posts"].is_person


def test_an_id_that_means_a_visit_is_no_person_though_the_numbers_are_theirs(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table remarks (id bigint primary key, author_type text, author_id bigint, body text);
        insert into remarks select g, (array['User', 'Guest'])[1 + g % 2], 1 + g % 60, 'b'
          from generate_series(1, 80) as g;
        """
    )
    assert link(found, "remarks", "author_id").when == "author_type = 'User'"


def test_roles_without_the_convention_are_told_by_values(site: Site) -> None:
    found = site.proposed(
        """
        create table customers (id bigint primary key, email text, first_name text, last_name text);
        insert into customers select g, 'c' || g || '@example.org', 'a', 'b' from generate_series(1, 50) as g;
        create table employees (id bigint primary key, email text, first_name text, last_name text);
        insert into employees select g, 'e' || g || '@example.org', 'a', 'b' from generate_series(1001, 1030) as g;
        create table tickets (id bigint primary key, created_by bigint, created_by_role text, body text);
        insert into tickets select g, 1 + g % 50, 'customer', 'b' from generate_series(1, 40) as g;
        insert into tickets select g, 1001 + g % 30, 'employee', 'b' from generate_series(41, 80) as g;
        """
    )
    assert {kind.table.name for kind in found.kinds} == {"customers", "employees"}
    made = {each.when: each.target.name for each in found.of("tickets").links}
    assert made == {"created_by_role = 'customer'": "customers", "created_by_role = 'employee'": "employees"}


def test_people_in_json_in_text_and_in_arrays_are_found(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table hooks (id bigint primary key, payload jsonb, raw text, watcher_ids bigint[]);
        insert into hooks select g,
          jsonb_build_object('meta', jsonb_build_object('actor', jsonb_build_object('id', g))),
          json_build_object('items', json_build_array(json_build_object('user_id', g)))::text,
          array[g, 61 - g] from generate_series(1, 60) as g;
        """
    )
    assert links(found, "hooks") == {
        "payload->'meta'->'actor'->>'id'",
        "raw::jsonb->'items'[]->>'user_id'",
        "watcher_ids[]",
    }


def test_people_without_an_account_are_asked_about_where_no_address_is_a_subjects(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table newsletter (email text primary key, since date);
        insert into newsletter select 'guest' || g || '@example.net' from generate_series(1, 30) as g;
        """
    )
    assert links(found, "newsletter") == set()
    assert found.of("newsletter").erase == "undecided"
    assert any("links: {email: {identity: email}}" in note for note in found.of("newsletter").notes)


def test_an_address_that_no_subject_has_makes_nobody_an_owner_beside_somebody(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table parcels (id bigint primary key, user_id bigint not null references users, contact_email text);
        insert into parcels select g, g, 'friend' || g || '@example.net' from generate_series(1, 60) as g;
        """
    )
    assert links(found, "parcels") == {"user_id"}
    assert found.of("parcels").erase == "undecided"


def test_where_people_meet_nothing_is_deleted_and_what_they_made_there_is_asked(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table organisations (id bigint primary key, founder_id bigint references users, name text);
        insert into organisations select g, g, 'o' from generate_series(1, 10) as g;
        create table memberships (organisation_id bigint references organisations, user_id bigint references users,
          role text, primary key (organisation_id, user_id));
        insert into memberships select 1 + g % 10, g from generate_series(1, 60) as g;
        create table documents (id bigint primary key, organisation_id bigint references organisations,
          author_id bigint references users, body text);
        insert into documents select g, 1 + g % 10, 1 + g % 60, 'text' from generate_series(1, 90) as g;
        create table settings (id bigint primary key, organisation_id bigint references organisations, colour text);
        insert into settings select g, g, 'red' from generate_series(1, 10) as g;
        """
    )
    assert found.of("organisations").shared is True
    assert link(found, "organisations", "founder_id").erase == "unlink"
    assert found.of("documents").erase == "undecided"
    assert link(found, "memberships", "user_id").erase == "delete"
    assert found.of("settings").shared is True
    assert found.of("settings").erase is None


def test_a_redundant_owner_is_no_meeting(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table projects (id bigint primary key, user_id bigint references users, name text);
        insert into projects select g, 1 + g % 60, 'p' from generate_series(1, 100) as g;
        create table tasks (id bigint primary key, project_id bigint references projects,
          user_id bigint references users);
        insert into tasks select g, 1 + g % 100, (select user_id from projects where id = 1 + g % 100)
          from generate_series(1, 300) as g;
        """
    )
    assert found.of("projects").erase == found.of("tasks").erase == "delete"


def test_two_people_in_one_row_each_take_their_own_side(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table messages (id bigint primary key, sender_id bigint references users,
          recipient_id bigint references users, body text);
        insert into messages select g, 1 + g % 60, 1 + (g + 7) % 60, 'hello' from generate_series(1, 90) as g;
        create table follows (follower_id bigint references users, followed_id bigint references users,
          primary key (follower_id, followed_id));
        insert into follows select g, 61 - g from generate_series(1, 60) as g;
        """
    )
    assert link(found, "messages", "sender_id").erase == {"sender_id": None, "body": None}
    assert link(found, "messages", "recipient_id").erase == {"recipient_id": None}
    assert link(found, "messages", "recipient_id").redact == ("sender_id",)
    assert found.of("messages").erase is None
    assert {each.erase for each in found.of("follows").links} == {"delete"}


def test_who_merely_acted_is_unlinked(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table cases (id bigint primary key, customer_id bigint not null references users,
          assigned_to bigint references users, created_by bigint references users,
            approved_by_id bigint references users);
        insert into cases select g, g, 1, 2, 3 from generate_series(1, 60) as g;
        create table pages (id bigint primary key, title text, updated_by bigint references users);
        insert into pages select g, 't', 1 from generate_series(1, 20) as g;
        """
    )
    assert link(found, "cases", "customer_id").role == "owner"
    assert {link(found, "cases", name).role for name in ("assigned_to", "created_by", "approved_by_id")} == {"actor"}
    assert found.of("cases").erase == "delete"
    assert found.of("pages").erase == "unlink"


def test_a_creator_who_is_always_the_owner_is_no_other_person(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table cases (id bigint primary key, user_id bigint references users, created_by bigint references users);
        insert into cases select g, g, g from generate_series(1, 60) as g;
        """
    )
    assert link(found, "cases", "created_by").role == "owner"
    assert found.of("cases").erase == "delete"


def test_bookkeeping_columns_make_nobody_an_owner(site: Site) -> None:
    tables = "".join(
        f"create table t{n} (id bigint primary key, name text, create_uid bigint references users,"
        f" write_uid bigint references users); insert into t{n} select g, 'n', 1 + g % 3, 2 "
        f"from generate_series(1, 20) as g;"
        for n in range(8)
    )
    found = site.proposed(USERS + tables)
    assert {link(found, f"t{n}", "create_uid").role for n in range(8)} == {"actor"}
    assert {found.of(f"t{n}").erase for n in range(8)} == {"unlink"}


def test_a_film_actor_is_no_user_and_the_staff_own_no_rentals(site: Site) -> None:
    found = site.proposed(
        """
        create table actor (actor_id integer primary key, first_name text, last_name text);
        create table film (film_id integer primary key, title text);
        create table film_actor (actor_id integer references actor, film_id integer references film,
          primary key (actor_id, film_id));
        create table staff (staff_id integer primary key, first_name text, last_name text, email text, username text,
          password text);
        create table customer (customer_id integer primary key, first_name text, last_name text, email text);
        create table rental (rental_id integer primary key, customer_id integer not null references customer,
          staff_id integer not null references staff, rental_date timestamptz);
        create table payment (payment_id integer primary key, customer_id integer not null references customer,
          staff_id integer not null references staff, rental_id integer references rental, amount numeric);
        insert into actor select g, 'a', 'b' from generate_series(1, 50) as g;
        insert into film select g, 'f' from generate_series(1, 50) as g;
        insert into film_actor select g, 51 - g from generate_series(1, 50) as g;
        insert into staff select g, 'a', 'b', 's' || g || '@example.org', 'u' || g, 'x' from generate_series(1, 4) as g;
        insert into customer select g, 'a', 'b', 'c' || g || '@example.org' from generate_series(1, 50) as g;
        insert into rental select g, 1 + g % 50, 1 + g % 4, now() from generate_series(1, 100) as g;
        insert into payment select g, 1 + g % 50, 1 + g % 4, g, 1 from generate_series(1, 100) as g;
        """
    )
    assert {kind.table.name for kind in found.kinds} == {"customer", "staff"}
    assert link(found, "rental", "staff_id").role == link(found, "payment", "staff_id").role == "actor"
    assert found.of("rental").erase == "delete"
    assert found.of("payment").erase == "undecided"
    assert found.of("actor").is_undecided
    assert not [each for each in found.of("film_actor").links if each.is_person]


def test_the_account_is_a_tenant_where_users_point_at_it(site: Site) -> None:
    found = site.proposed(
        """
        create table accounts (id bigint primary key, name text, email text, phone text);
        insert into accounts select g, 'a', 'office' || g || '@firm.example' from generate_series(1, 20) as g;
        create table users (id bigint primary key, account_id bigint, email text, name text, encrypted_password text);
        insert into users select g, 1 + g % 20, 'p' || g || '@example.org', 'n', 'x' from generate_series(1, 60) as g;
        create table conversations (id bigint primary key, account_id bigint, user_id bigint, topic text);
        insert into conversations select g, 1 + g % 20, 1 + g % 60, 't' from generate_series(1, 80) as g;
        """
    )
    assert [kind.table.name for kind in found.kinds] == ["users"]
    assert found.of("accounts").erase == "undecided"
    assert links(found, "conversations") == {"user_id"}
    assert not any("accounts" in note for note in found.notes)


def test_wordpress_is_read_without_a_single_foreign_key(site: Site) -> None:
    found = site.proposed(
        """
        create table wp_users ("ID" bigint primary key, user_login text, user_pass text, user_email text,
          display_name text);
        insert into wp_users select g, 'login' || g, 'x', 'u' || g || '@example.org', 'U'
          from generate_series(1, 40) as g;
        create table wp_usermeta (umeta_id bigint primary key, user_id bigint, meta_key text, meta_value text);
        insert into wp_usermeta select g, 1 + g % 40, 'k', 'v' from generate_series(1, 120) as g;
        create table wp_posts ("ID" bigint primary key, post_author bigint, post_title text, post_content text);
        insert into wp_posts select g, 1 + g % 40, 't', 'c' from generate_series(1, 90) as g;
        create table wp_comments ("comment_ID" bigint primary key, "comment_post_ID" bigint, comment_author_email text,
          user_id bigint, comment_content text);
        insert into wp_comments select g, 1 + g % 90, 'guest' || g || '@example.net', 0, 'c'
          from generate_series(1, 60) as g;
        insert into wp_comments select g, 1 + g % 90, 'u' || (1 + g % 40) || '@example.org', 1 + g % 40, 'c'
          from generate_series(61, 120) as g;
        create table wp_options (option_id bigint primary key, option_name text, option_value text);
        insert into wp_options values (1, 'siteurl', 'https://example.org');
        """
    )
    assert [kind.table.name for kind in found.kinds] == ["wp_users"]
    assert link(found, "wp_posts", "post_author").kind == "person"
    assert link(found, "wp_usermeta", "user_id").kind == "person"
    assert link(found, "wp_comments", "user_id").when == "user_id <> 0"
    assert link(found, "wp_comments", "comment_author_email").identity == "email"
    assert link(found, "wp_comments", '"comment_post_ID"'.strip('"')).target.name == "wp_posts"


def test_frameworks_tables_are_nobodys_and_their_logs_are_not_overlooked(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table schema_migrations (version text primary key);
        create table countries (code text primary key, label text);
        insert into countries values ('DE', 'Germany'), ('FR', 'France');
        create table versions (id bigint primary key, item_type text, item_id bigint, whodunnit text, object text);
        insert into versions select g, 'User', 1 + g % 60, (1 + g % 3)::text, '{"a": 1}'
          from generate_series(1, 60) as g;
        create table audit_log (id bigint primary key, what jsonb);
        insert into audit_log select g, '{"x": "y"}' from generate_series(1, 5) as g;
        """
    )
    assert not found.of("schema_migrations").personal
    assert not found.of("countries").personal
    assert link(found, "versions", "item_id").when == "item_type = 'User'"
    assert link(found, "versions", "whodunnit").role == "actor"
    assert found.of("audit_log").is_undecided


def test_embeddings_belong_to_the_row_that_they_describe(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create extension if not exists vector with schema public;
        create table data_notes (id bigint primary key, text text, metadata_ jsonb, node_id text,
          embedding public.vector(3));
        insert into data_notes select g, 't', jsonb_build_object('user_id', g), 'n', '[1,2,3]'
          from generate_series(1, 60) as g;
        create table halves (id bigint primary key, user_id bigint references users, embedding public.halfvec(3),
          words public.sparsevec(3));
        """
    )
    assert links(found, "data_notes") == {"metadata_->>'user_id'"}
    assert found.of("data_notes").columns["embedding"].entry == {"origin": "DerivedPersonalData", "export": "explain"}
    assert found.of("halves").columns["words"].entry["export"] == "explain"


def test_copies_are_refreshed_and_views_are_passed_over(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create view everybody as select * from users;
        create materialized view report as select id, email from users;
        create materialized view numbers as select 1 as one;
        """
    )
    assert found.of("report").erase == "refresh"
    assert not found.of("numbers").personal
    assert "everybody" not in {each.table.name for each in found.decisions}


def test_keys_of_several_columns_to_other_keys_and_across_schemas(site: Site) -> None:
    found = site.proposed(
        """
        create schema "Ünit one"; create schema b;
        create table "Ünit one"."Users" ("tenantId" bigint, "Id" bigint, "eMail" text, password text,
          uuid uuid unique default gen_random_uuid(), primary key ("tenantId", "Id"));
        insert into "Ünit one"."Users" select t, g, 'p' || t || '_' || g || '@example.org', 'x'
          from generate_series(1, 2) as t, generate_series(1, 20) as g;
        create table b."select" ("tenantId" bigint, "userId" bigint, note text,
          foreign key ("tenantId", "userId") references "Ünit one"."Users");
        create table b.tokens (id bigint primary key, user_uuid uuid references "Ünit one"."Users" (uuid));
        create table b.logins (id bigint primary key, "tenantId" bigint, user_id bigint);
        insert into b.logins select g, 1 + g % 2, 1 + g % 20 from generate_series(1, 60) as g;
        """
    )
    assert found.kinds[0].key == ("tenantId", "Id")
    assert links(found, 'b."select"'.replace('"', "")) == {"tenantId, userId"}
    assert links(found, "b.tokens") == {"user_uuid"}
    assert links(found, "b.logins") == {"tenantId, user_id"}


def test_a_key_of_one_partition_is_one_of_the_table(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table visits (id bigint, user_id bigint, day date) partition by range (day);
        create table visits_1 partition of visits for values from ('2026-01-01') to ('2027-01-01');
        alter table visits_1 add foreign key (user_id) references users;
        """
    )
    assert link(found, "visits", "user_id").foreign_key is not None


def test_the_key_of_a_table_that_declares_none_is_found_in_its_rows(site: Site) -> None:
    found = site.proposed(
        """
        create table people (tenant_id bigint, id bigint, email text, first_name text, last_name text);
        insert into people select t, g, 'p' || t || g || '@example.org', 'a', 'b'
          from generate_series(1, 2) as t, generate_series(1, 20) as g;
        """
    )
    assert found.kinds[0].key == ("tenant_id", "id")
    assert any("declares no key" in note for note in found.notes)


def test_djangos_generic_relations_are_told_by_its_list_of_models(site: Site) -> None:
    found = site.proposed(
        """
        create table django_content_type (id integer primary key, app_label text, model text);
        insert into django_content_type values (7, 'auth', 'user'), (8, 'shop', 'order'), (9, 'shop', 'product');
        create table auth_user (id integer primary key, email text, username text, password text);
        insert into auth_user select g, 'u' || g || '@example.org', 'u' || g, 'x' from generate_series(1, 60) as g;
        create table shop_order (id integer primary key, user_id integer references auth_user);
        insert into shop_order select g, g from generate_series(1, 60) as g;
        create table shop_product (id integer primary key, title text);
        create table tagged_item (id integer primary key, content_type_id integer references django_content_type,
          object_id integer, tag text);
        insert into tagged_item select g, 7 + g % 2, 1 + g % 60, 't' from generate_series(1, 90) as g;
        """
    )
    assert {(each.when, each.target.name) for each in found.of("tagged_item").links if each.when} == {
        ("content_type_id = 7", "auth_user"),
        ("content_type_id = 8", "shop_order"),
    }


def test_a_key_is_known_by_its_own_name_behind_the_persons(site: Site) -> None:
    found = site.proposed(
        """
        create table patients (patient_id integer primary key, mrn text unique, first_name text, dob date);
        insert into patients select g, 'MRN' || g, 'a' from generate_series(1, 60) as g;
        create table lab_results (id integer primary key, patient_mrn text, value numeric);
        insert into lab_results select g, 'MRN' || (1 + g % 60), 1 from generate_series(1, 90) as g;
        """
    )
    assert link(found, "lab_results", "patient_mrn").target_columns == ("mrn",)
    assert found.of("lab_results").erase == "delete"


def test_what_is_handed_in_for_a_lesson_of_a_shared_course_is_asked_about(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table courses (id bigint primary key, teacher_id bigint references users, title text);
        insert into courses select g, 1 + g % 5, 'c' from generate_series(1, 20) as g;
        create table lessons (id bigint primary key, course_id bigint references courses, title text);
        insert into lessons select g, 1 + g % 20, 'l' from generate_series(1, 60) as g;
        create table submissions (id bigint primary key, lesson_id bigint references lessons,
          user_id bigint references users, body text);
        insert into submissions select g, 1 + g % 60, 6 + g % 50, 'b' from generate_series(1, 90) as g;
        """
    )
    assert found.of("courses").shared is True
    assert found.of("lessons").shared is True
    assert found.of("submissions").erase == "undecided"


def test_what_hangs_from_a_circle_of_tables_is_found_all_around(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table files (id bigint primary key, user_id bigint references users, version_id bigint);
        create table versions_of_files (id bigint primary key, file_id bigint not null references files, size bigint);
        insert into files select g, 1 + g % 60, null from generate_series(1, 90) as g;
        insert into versions_of_files select g, g, 1 from generate_series(1, 90) as g;
        update files set version_id = id;
        alter table files add foreign key (version_id) references versions_of_files;
        """
    )
    assert found.of("files").erase == found.of("versions_of_files").erase == "delete"


def test_a_link_that_only_its_on_delete_calls_weak_is_asked_about(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table deals (id bigint primary key, user_id bigint not null references users,
          broker_id bigint references users on delete set null, sum numeric);
        insert into deals select g, 1 + g % 60, 1 + (g + 9) % 60, g from generate_series(1, 90) as g;
        """
    )
    assert link(found, "deals", "broker_id").role == "undecided"
    assert found.of("deals").erase == "undecided"


def test_too_few_rows_decide_nothing_about_a_place(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table folders (id bigint primary key, owner_id bigint references users, name text);
        insert into folders values (1, 1, 'f'), (2, 2, 'g');
        create table documents (id bigint primary key, folder_id bigint references folders,
          author_id bigint references users, body text);
        insert into documents values (1, 1, 1, 'b'), (2, 2, 2, 'b');
        """
    )
    assert found.of("folders").shared == "undecided"
    assert found.of("documents").confidence == "low"


def test_an_address_beside_an_owner_without_one_may_be_somebody_elses(site: Site) -> None:
    found = site.proposed(
        """
        create table users (id bigint primary key, login text, first_name text, last_name text, password text);
        insert into users select g, 'l' || g, 'a', 'b', 'x' from generate_series(1, 60) as g;
        create table invitations (id bigint primary key, user_id bigint references users, invited_email text);
        insert into invitations select g, g, 'friend' || g || '@example.net' from generate_series(1, 60) as g;
        """
    )
    assert found.of("invitations").erase == "undecided"


DJANGO = """
create table auth_user (id bigint primary key, username text unique, password text, email text, first_name text,
  last_name text);
insert into auth_user select g, 'u' || g, 'x', 'u' || g || '@example.org', 'a', 'b' from generate_series(1, 80) as g;
create table auth_group (id bigint primary key, name text);
insert into auth_group select g, 'g' from generate_series(1, 4) as g;
create table core_userprofile (id bigint primary key, user_id bigint unique, bio text);
insert into core_userprofile select g, g, 'b' from generate_series(1, 80) as g;
create table account_emailaddress (id bigint primary key, user_id bigint, email text);
insert into account_emailaddress select g, g, 'u' || g || '@example.org' from generate_series(1, 80) as g;
create table shop_customer (id bigint primary key, user_id bigint, street text);
insert into shop_customer select g, g, 's' from generate_series(1, 70) as g;
create table shop_order (id bigint primary key, customer_id bigint, total numeric);
insert into shop_order select g, 1 + g % 70, 1 from generate_series(1, 150) as g;
create table shop_orderline (id bigint primary key, order_id bigint, sku text);
insert into shop_orderline select g, 1 + g % 150, 's' from generate_series(1, 300) as g;
"""


def test_the_name_of_an_application_before_a_table_hides_nobody(site: Site) -> None:
    found = site.proposed(DJANGO)
    assert [kind.table.name for kind in found.kinds] == ["auth_user"]
    assert link(found, "core_userprofile", "user_id").kind == "person"
    assert links(found, "account_emailaddress") == {"user_id", "email"}
    assert link(found, "shop_order", "customer_id").target == Name("public", "shop_customer")
    assert link(found, "shop_orderline", "order_id").target == Name("public", "shop_order")
    assert found.of("shop_order").erase == found.of("shop_orderline").erase == "delete"


def test_a_name_that_fits_tables_of_several_applications_is_undecided(site: Site) -> None:
    found = site.proposed(
        DJANGO
        + """
        create table crm_customer (id bigint primary key, title text);
        insert into crm_customer select g, 't' from generate_series(1, 90) as g;
        create table crm_note (id bigint primary key, customer_id bigint, label text);
        insert into crm_note select g, 1 + g % 60, 'b' from generate_series(1, 90) as g;
        create table mail_letter (id bigint primary key, customer_id bigint, subject_line text);
        insert into mail_letter select g, 1 + g % 60, 'b' from generate_series(1, 90) as g;
        """
    )
    assert link(found, "mail_letter", "customer_id").role == "undecided"
    assert found.of("mail_letter").erase == "undecided"
    assert not found.of("crm_note").personal  # of its own application, and nobody's


def test_small_numbers_that_fit_a_table_of_another_application_prove_little(site: Site) -> None:
    found = site.proposed(
        DJANGO
        + """
        create table mail_letter (id bigint primary key, order_id bigint, subject_line text);
        insert into mail_letter select g, 1 + g % 60, 'b' from generate_series(1, 90) as g;
        """
    )
    assert link(found, "mail_letter", "order_id").role == "undecided"
    assert found.of("mail_letter").erase == "undecided"


def test_the_first_word_of_a_table_that_another_is_called_is_no_application(site: Site) -> None:
    found = site.proposed(
        USERS
        + """
        create table orders (id bigint primary key, user_id bigint references users);
        insert into orders select g, 1 + g % 60 from generate_series(1, 90) as g;
        create table order_items (id bigint primary key, order_id bigint references orders);
        insert into order_items select g, g from generate_series(1, 90) as g;
        create table order_notes (id bigint primary key, order_id bigint references orders);
        create table translations (id bigint primary key, item_id bigint);
        insert into translations select g, g from generate_series(1, 90) as g;
        """
    )
    assert not found.of("translations").links


def test_a_wordpress_is_discovered(site: Site) -> None:
    found = site.proposed(
        """
        create table wp_users ("ID" bigint primary key, user_login text, user_pass text, user_email text);
        insert into wp_users select g, 'u' || g, 'x', 'u' || g || '@example.org' from generate_series(1, 60) as g;
        create table wp_usermeta (umeta_id bigint primary key, user_id bigint, meta_key text, meta_value text);
        insert into wp_usermeta select g, 1 + g % 60, 'k', 'v' from generate_series(1, 100) as g;
        create table wp_posts ("ID" bigint primary key, post_author bigint, post_content text, post_parent bigint);
        insert into wp_posts select g, 1 + g % 60, 'c', 0 from generate_series(1, 100) as g;
        create table wp_options (option_id bigint primary key, option_name text, option_value text);
        """
    )
    assert [kind.table.name for kind in found.kinds] == ["wp_users"]
    assert link(found, "wp_usermeta", "user_id").kind == "person"
    assert links(found, "wp_posts") == {"post_author"}


@pytest.mark.parametrize(
    ("index", "place"),
    [
        ("((payload #>> '{actor,id}'))", "payload#>>'{actor,id}'"),
        ("((payload -> 'actor' ->> 'id'))", "payload->'actor'->>'id'"),
        ("(kind)", "payload->'actor'->>'id'"),
    ],
)
def test_a_path_is_spelled_as_its_index_is(site: Site, index: str, place: str) -> None:
    found = site.proposed(
        USERS
        + f"""
        create table events (id bigint primary key, kind text, payload jsonb);
        insert into events select g, 'k', jsonb_build_object('actor', jsonb_build_object('id', g))
          from generate_series(1, 60) as g;
        create index on events {index};
        """
    )
    assert links(found, "events") == {place}


@pytest.mark.parametrize("column", ["card_last4", "user_agent"])
def test_a_text_that_nobody_has_filled_in_yet_is_no_key_by_half_a_word(site: Site, column: str) -> None:
    found = site.proposed(
        USERS + f"create table carts (id bigint primary key, user_id bigint not null references users, {column} text);"
    )
    assert links(found, "carts") == {"user_id"}
