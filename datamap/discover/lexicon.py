"""The words that programs are written with: what may be written as it stands in a key, and is nobody's name.

A key, a field or a discriminator can hold anything. Only what is certainly a word of the application is ever repeated:
one of these, one of the database's own names, or one that stands in so many places that it can be no single person's.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Iterable, Mapping

from datamap.catalogue import Catalogue
from datamap.discover import words

MANY = 20  # places in which a word stands that no list has
_VERSION = re.compile(r"v[0-9]{1,2}")
_ALSO_NAMES = words.listed("bill mark van art pan mac will may rich case lane")

# Of frameworks, of what caches are for, and of what most applications keep.
_OF_PROGRAMS = words.listed(
    """
    about abuse accept access achievement act action actioncable active activejob activity actor ad add
    address age agenda agent aggregate alert alias all amount analytic announcement anonymous answer any api app
    application approval archive area arg args argument array article asset assignment async attachment attempt
    attr attribute audience audit auth authenticated authentication author authorization auto available avatar
    average backend background backlog backoff backup badge balance banner base basket batch bearer bee best
    billing birth block blob board body book booking bookmark bot bounce bounced box brand breaker broadcast browser
    bucket budget buffer build bulk bull bullmq bus button buy by cache cached calendar call callback campaign
    cancel captcha card cart catalog catalogue category celery celeryd cell central certificate challenge change
    changed changelog channel charge chat check checkout checksum child city claim class cleanup clear click
    client clock close cluster cms code collection column command comment commit common company complete
    completed component config configuration confirm confirmation connect connection consent consumer contact
    content context controller conversation cookie coordinate copy core cors cost count counter country coupon
    course crawler create created credential credit cron csrf csv cue cumulative currency current cursor
    customer daemon daily dashboard data database dataset date day db dead deadletter deal debug decorator dedup
    default deferred delay delayed delete deleted delivery demo department deploy deployment description desktop
    detail dev device devise diff digest digit dirty disabled discount dispatch display distributed django doc
    doctrine document domain done download draft driver due duration dynamic edge edit editor email embed
    embedding enable enabled encrypted end endpoint engine enqueued entity entry env environment error etag
    event example exchange exclusive exec execution exp expire expired expires expiry export express external
    extra facet fail failed failure fallback fastapi favorite favourite feature featured feed feedback fetch
    field file filter fingerprint finished first flag flash flask flipper flow folder follow follower following
    font footer for force forgot form format forward frame free frequency friend from front frontend full
    function game gateway gauge gb generation geo get global gmt graph graphql grid group guest guid guild
    handler handshake hangfire hash header health healthcheck heartbeat hero hidden high highscore hint history
    hit holiday home homepage hook horizon hot hour hourly html http https icon id idempotency idempotent
    identifier identity idx image import in inbound inbox index info init input insert inserted install instance
    integration internal interval inventory invitation invite invited invoice ioredis ip is iso issue issued
    item iteration jid job join joined journal json jti jwt keep key keyword kid kind kombu label lang language
    laravel large last lastseen latency latest latitude layout leader leaderboard ledger left legacy length
    level library license like liked limit limiter line link list live load lobby local locale location lock
    locked log logged login logout long longitude lookup low lru magento magic mail mailbox mailer main
    maintenance manager manifest map marker market master max mean media medium member membership memo menu
    message meta metadata meter method metric mfa middleware migration min minute mobile mode model moderation
    module monitor month monthly most move multi mutex my name namespace nav navigation nest network new news
    newsletter next node nonce normal note notification notified notify now null number nuxt oauth object of
    offer offline offset on onboarding once online only open operation option or order ordered organization
    origin otp out outbound outbox outgoing overview owner pack package page pagination param parameter parent part
    partial participant partner passport password path pattern payload payment pending people per performance
    permission persistent person phoenix phone photo php picture ping pipeline place plan platform player
    playlist plugin point poll pool popular popularity position post postcode preference prefetch prefix premium
    presence present preview previous price pricing primary principal priority prisma private process processed
    processing processor product production profile progress project promo promotion property provider proxy psr
    public publish published pubsub purchase purge push put pw pwreset query question queue queued quick quota
    quote rack rail rails random range rank ranking rate ratelimit ratelimiter ratelimits rating raw read ready
    real realtime reason rebuild receipt receive received recent recipient recommendation recommended record
    redirect redis ref refer referer referral refresh refund region register registration registry rejected
    relation relationship release reload reminder remote remove render renew repeat replica reply report
    repository request requested reservation reset resource response resque rest result retries retry return
    revenue review revision revoked reward right rl role room root round route router row rpc rq rsvp rule run
    running sale salt sanctum sandbox save saved scan schedule scheduled scheduler schema scope score screen
    script search season second secondary secret section security seen segment select send sender sent seq
    sequelize sequence serial series server service sess session set setting setup shadow shard share shared
    shipment shipping shop shopify short sidekiq signature signed signin signup site sitemap size skip sku sleep
    slot slow slug small sms snapshot social socket socketio source space spam speed sport spring stack staff
    stage stale standing start started stat state static statistic status step stock stop store stored story
    streak stream string style sub subject submission submit subscribe subscriber subscription suggestion suite
    sum summary super support surge survey suspended symfony sync system tab table tag tail target task team
    temp template temporary tenant term test text theme thread throttle throttled thumbnail tick ticket tier
    time timeline timeout timer timestamp timezone title tmp to today todo token top topic total track tracker
    tracking trade traffic trail transaction transfer transition translation trash tree trend trending trial
    trigger try ts ttl turn two type typing uid undo unique unlock unread unsubscribe update updated upload
    uploaded upstream url usage use used user userid username utc uuid valid validated validation value variable
    variant vector vendor verification verified verify version via video view viewed viewer views visit visited
    visitor vote voucher wait waiting wallet warehouse warm watch watcher watching web webhook webinar websocket
    week weekly weight welcome whitelist widget width window wishlist withdrawal word wordpress work worker
    workflow workspace wp write written ws year yearly yesterday zone zset
    """
)
_KNOWN = (
    frozenset(word for each in _OF_PROGRAMS for word in words.words(each))
    | words.PERSON
    | words.MAYBE_PERSON
    | words.GATHERING
) - _ALSO_NAMES


def of_catalogue(catalogue: Catalogue) -> frozenset[str]:
    """What the database calls its own tables and columns."""
    named = (name for table in catalogue for name in (table.name.name, *table.columns))
    return frozenset(word for name in named for word in words.words(name) if not word.isdigit())


def is_known(text: str, more: Collection[str] = frozenset()) -> bool:
    """Whether all of it is made of such words: `session`, `last_seen`, `userId`."""
    said = [word for word in words.words(text) if not (word.isdigit() and len(word) < 3)]
    is_word = bool(said) and text.isascii() and all(_is_word(word, more) for word in said)
    return is_word or _VERSION.fullmatch(text) is not None


def _is_word(word: str, more: Collection[str]) -> bool:
    return word in _KNOWN or (len(word) > 2 and word in more)


def certain(
    counts: Mapping[str, int], alike: Iterable[Collection[str]], more: Collection[str] = frozenset()
) -> frozenset[str]:
    """Of the words at one place, those that may be written. `alike` are groups of such that go on in the same way.

    One that nobody knows has to stand in many places; and so has each other one like it, or they are values, of which
    one is frequent: the sessions of one person beside those of others.
    """
    known = {word for word in counts if is_known(word, more)}
    rare = {word for word in counts if word not in known and counts[word] < MANY}
    values = rare.union(*(group for group in alike if rare & set(group)))
    return frozenset(counts.keys() - (values - known))


def groups(pairs: Iterable[tuple[Hashable, str]]) -> list[set[str]]:
    """The words that have something in common."""
    found: dict[Hashable, set[str]] = {}
    for common, word in pairs:
        found.setdefault(common, set()).add(word)
    return list(found.values())
