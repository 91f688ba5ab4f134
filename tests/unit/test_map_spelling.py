"""What is meant by a misspelt name: realistic slips are understood, and another name is never taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datamap.spelling import nearest

KNOWN = [
    "app.users", "app.orders", "app.order_items", "app.GiftCards", "app.teams", "public.categories", "created_at",
    "user_id", "email", "phone", "id", "ip", "full_name", "delete", "unlink", "legal_basis", "issued_on", "actor",
]  # fmt: skip


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("app.user", "app.users"), ("app.ordres", "app.orders"), ("app.order", "app.orders"),
        ("app.orderitems", "app.order_items"), ("app.order_item", "app.order_items"), ("public.users", "app.users"),
        ("users", "app.users"), ("ap.users", "app.users"), ("app.Users", "app.users"), ("apps.order", "app.orders"),
        ("app.giftcards", "app.GiftCards"), ("app.gift_cards", "app.GiftCards"), ("app.category", None),
        ("emial", "email"), ("e_mail", "email"), ("mail", "email"), ("createdAt", "created_at"),
        ("creatd_at", "created_at"), ("userid", "user_id"), ("user_ids", "user_id"), ("phones", "phone"),
        ("delte", "delete"), ("unlinked", "unlink"), ("legal_bases", "legal_basis"), ("actr", "actor"), ("uid", "id"),
        ("fullname", "full_name"),
    ],
)  # fmt: skip
def test_a_slip_is_understood(slip: str, meant: str | None) -> None:
    assert nearest(slip, KNOWN) == meant


@pytest.mark.parametrize(
    "other",
    ["app.persons", "app.products", "app.items", "app.customers", "orders_of_users", "created_by", "updated_at",
     "user_name", "photo", "io", "mobile", "tenant_id", "detach", "link", "shop.user", "account", "full_date", "x", ""],
)  # fmt: skip
def test_another_name_is_not_taken_for_a_slip(other: str) -> None:
    assert nearest(other, KNOWN) is None


def test_of_several_the_one_with_the_fewest_slips_is_meant() -> None:
    assert nearest("app.userz", ["app.user", "app.users", "shop.userz"]) == "shop.userz"
    assert nearest("app.usersz", ["shop.users", "app.user", "app.users"]) == "app.users"


@given(st.sampled_from(KNOWN))
def test_a_name_that_is_right_means_itself(name: str) -> None:
    assert nearest(name, KNOWN) == name


@given(st.sampled_from([name for name in KNOWN if len(name) > 8]), st.data())
def test_two_letters_swapped_are_understood(name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(name.find(".") + 1, len(name) - 2))
    swapped = name[:at] + name[at + 1] + name[at] + name[at + 2 :]
    assert nearest(swapped, [name]) == name or "_" in swapped
