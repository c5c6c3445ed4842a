//! A shop: 64 functions of its services, who calls whom, how long each takes, with what and how it fails.
//!
//! A value is written with words that `text.rs` fills in: `$order`, `$user`, `$sku` and `$mail` are the request's, the same
//! in its whole tree; `$n`, `$money`, `$ms`, `$flag`, `$word` and `$uuid` are drawn each time.

/// A function of the shop.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    /// Parameters with their values: `name=value`, parted by spaces.
    pub(crate) parameters: &'static str,
    pub(crate) result: &'static str,
    /// Median of the time in the function itself, and how it spreads.
    pub(crate) own_us: f64,
    pub(crate) spread: f64,
    /// What it calls: the function, how likely, how often at most.
    pub(crate) calls: &'static [(&'static str, f64, u64)],
    pub(crate) failures: &'static [Failure],
}

/// A way to fail.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Of a million calls.
    pub(crate) millionths: u64,
    pub(crate) error_type: &'static str,
    pub(crate) message: &'static str,
    pub(crate) source: &'static str,
}

/// What begins a tree: the function, how often beside the others, the rate its trees are kept at.
pub(crate) const ROOTS: &[(&str, u64, f64)] = &[
    ("shop.web.orders.place_order", 90, 1.0),
    ("shop.web.orders.list_orders", 110, 1.0),
    ("shop.web.orders.cancel_order", 12, 1.0),
    ("shop.web.catalogue.search", 150, 1.0),
    ("shop.web.catalogue.product_page", 190, 1.0),
    ("shop.web.account.login", 60, 1.0),
    ("shop.web.account.profile", 50, 1.0),
    ("shop.web.basket.add_item", 80, 1.0),
    ("shop.web.webhooks.payment_event", 40, 1.0),
    ("shop.web.health.check", 160, 0.05),
    ("shop.web.assets.thumbnail", 120, 0.2),
    ("shop.tasks.mail.send_confirmation", 45, 1.0),
    ("shop.tasks.stock.sync_warehouse", 3, 1.0),
    ("shop.tasks.reports.daily_revenue", 1, 1.0),
    ("shop.tasks.feed.export_products", 1, 1.0),
    ("shop.tasks.fraud.rescore", 20, 1.0),
];

const NONE: &[(&str, f64, u64)] = &[];
const NEVER: &[Failure] = &[];

const fn plain(
    name: &'static str,
    parameters: &'static str,
    result: &'static str,
    (own_us, spread): (f64, f64),
    calls: &'static [(&'static str, f64, u64)],
    failures: &'static [Failure],
) -> Function {
    Function { name, kind: "function", parameters, result, own_us, spread, calls, failures }
}

const fn of_kind(kind: &'static str, function: Function) -> Function {
    Function { kind, ..function }
}

const fn fails(millionths: u64, error_type: &'static str, message: &'static str, source: &'static str) -> Failure {
    Failure { millionths, error_type, message, source }
}

/// All functions.
#[rustfmt::skip]
pub(crate) const FUNCTIONS: &[Function] = &[
    // The web service: what a request arrives at.
    of_kind("coroutine", plain("shop.web.orders.place_order", r#"request={"method":"POST","path":"/orders","user_id":$user} dry_run=$flag"#,
        r#"{"status":201,"order_id":$order}"#, (900.0, 0.4), &[("shop.web.auth.require_user", 1.0, 1), ("shop.orders.service.place", 1.0, 1), ("shop.web.render.to_json", 1.0, 1)],
        &[fails(300, "shop.web.errors.BadRequest", "field 'lines' of order $order is empty", "raise BadRequest(field)")])),
    of_kind("coroutine", plain("shop.web.orders.list_orders", r#"request={"method":"GET","path":"/orders","user_id":$user} page=$n"#,
        r#"{"status":200,"items":$n}"#, (500.0, 0.4), &[("shop.web.auth.require_user", 1.0, 1), ("shop.orders.repository.of_user", 1.0, 1), ("shop.web.render.to_json", 1.0, 1)], NEVER)),
    of_kind("coroutine", plain("shop.web.orders.cancel_order", r#"request={"method":"DELETE","path":"/orders/$order"} order_id=$order"#,
        r#"{"status":204}"#, (600.0, 0.4), &[("shop.web.auth.require_user", 1.0, 1), ("shop.orders.service.cancel", 1.0, 1)], NEVER)),
    of_kind("coroutine", plain("shop.web.catalogue.search", r#"request={"method":"GET","path":"/search"} q="$word $word" limit=20"#,
        r#"{"status":200,"hits":$n}"#, (450.0, 0.4), &[("shop.search.index.query", 1.0, 1), ("shop.catalogue.prices.price_of", 0.9, 12), ("shop.web.render.to_json", 1.0, 1)], NEVER)),
    of_kind("coroutine", plain("shop.web.catalogue.product_page", r#"request={"method":"GET","path":"/p/$sku"} sku="$sku""#,
        r#"{"status":200,"bytes":$n}"#, (700.0, 0.4), &[("shop.catalogue.repository.load", 1.0, 1), ("shop.catalogue.prices.price_of", 1.0, 3), ("shop.recommend.similar", 0.8, 1), ("shop.web.render.template", 1.0, 1)],
        &[fails(900, "shop.web.errors.NotFound", "no product '$sku'", "raise NotFound(sku)")])),
    of_kind("coroutine", plain("shop.web.account.login", r#"request={"method":"POST","path":"/login"} email="$mail" password="***""#,
        r#"{"status":200,"token":"***"}"#, (400.0, 0.4), &[("shop.users.passwords.verify", 1.0, 1), ("shop.users.sessions.open", 0.9, 1)],
        &[fails(18_000, "shop.users.errors.WrongPassword", "wrong password for $mail, attempt $n", "raise WrongPassword(email, attempt)")])),
    of_kind("coroutine", plain("shop.web.account.profile", r#"request={"method":"GET","path":"/me"} user_id=$user"#,
        r#"{"status":200}"#, (300.0, 0.4), &[("shop.web.auth.require_user", 1.0, 1), ("shop.users.repository.load", 1.0, 1), ("shop.web.render.template", 1.0, 1)], NEVER)),
    of_kind("coroutine", plain("shop.web.basket.add_item", r#"request={"method":"POST","path":"/basket"} sku="$sku" quantity=$n"#,
        r#"{"status":200,"lines":$n}"#, (350.0, 0.4), &[("shop.web.auth.require_user", 1.0, 1), ("shop.basket.store.load", 1.0, 1), ("shop.catalogue.prices.price_of", 1.0, 1), ("shop.basket.store.save", 1.0, 1)],
        &[fails(2_000, "KeyError", "'$sku'", "line = basket.lines[sku]")])),
    of_kind("coroutine", plain("shop.web.webhooks.payment_event", r#"payload={"id":"$uuid","type":"payment.$word","order_id":$order}"#,
        "true", (300.0, 0.4), &[("shop.billing.events.apply", 1.0, 1)],
        &[fails(600, "shop.billing.errors.BadSignature", "signature of event $uuid does not match", "raise BadSignature(event)")])),
    of_kind("coroutine", plain("shop.web.health.check", "", r#"{"ok":true}"#, (60.0, 0.3), &[("shop.cache.client.ping", 1.0, 1), ("shop.db.session.ping", 1.0, 1)], NEVER)),
    of_kind("coroutine", plain("shop.web.assets.thumbnail", r#"sku="$sku" width=240"#, r#""[bytes 18 KB]""#, (2_500.0, 0.5), &[("shop.storage.files.read", 1.0, 1)], NEVER)),
    plain("shop.web.auth.require_user", r#"token="***""#, "$user", (80.0, 0.3), &[("shop.users.sessions.load", 1.0, 1)],
        &[fails(1_500, "shop.users.errors.SessionExpired", "session $uuid ended $n minutes ago", "raise SessionExpired(session)")]),
    plain("shop.web.render.to_json", "value={\"items\":$n}", r#""[str 2 KB]""#, (120.0, 0.5), NONE, NEVER),
    plain("shop.web.render.template", r#"name="$word.html" context={"user_id":$user,"items":$n}"#, r#""[str 31 KB]""#, (1_800.0, 0.5), &[("shop.web.render.fragment", 0.9, 4)],
        &[fails(60, "jinja2.exceptions.UndefinedError", "'price' is undefined", "return environment.render(name, context)")]),
    plain("shop.web.render.fragment", r#"name="$word""#, r#""[str 3 KB]""#, (240.0, 0.4), NONE, NEVER),
    // Orders.
    plain("shop.orders.service.place", r#"order={"id":$order,"user_id":$user,"lines":[{"sku":"$sku","quantity":$n}],"total":$money} user_id=$user"#,
        r#"{"id":$order,"state":"placed"}"#, (400.0, 0.4), &[("shop.orders.rules.validate", 1.0, 1), ("shop.stock.reservations.reserve", 1.0, 3), ("shop.billing.service.charge", 1.0, 1),
        ("shop.orders.repository.save", 1.0, 1), ("shop.events.bus.publish", 1.0, 2)], NEVER),
    plain("shop.orders.service.cancel", r#"order_id=$order reason="$word""#, "null", (300.0, 0.4), &[("shop.orders.repository.load", 1.0, 1), ("shop.billing.service.refund", 0.7, 1), ("shop.orders.repository.save", 1.0, 1)],
        &[fails(9_000, "shop.orders.errors.TooLate", "order $order left the warehouse $n hours ago", "raise TooLate(order)")]),
    plain("shop.orders.rules.validate", r#"order={"id":$order,"user_id":$user,"total":$money}"#, "[]", (150.0, 0.4), &[("shop.orders.rules.check_line", 1.0, 4), ("shop.fraud.rules.score", 0.6, 1)],
        &[fails(4_000, "shop.orders.errors.LimitExceeded", "total $money of user $user is above the limit", "raise LimitExceeded(order.total)")]),
    plain("shop.orders.rules.check_line", r#"sku="$sku" quantity=$n"#, "true", (25.0, 0.3), NONE, &[fails(500, "ValueError", "quantity -$n of '$sku'", "raise ValueError(f\"quantity {quantity} of {sku!r}\")")]),
    plain("shop.orders.repository.load", "order_id=$order", r#"{"id":$order,"state":"placed","total":$money}"#, (60.0, 0.3), &[("shop.db.session.query", 1.0, 1)],
        &[fails(700, "shop.orders.errors.UnknownOrder", "no order $order", "raise UnknownOrder(order_id)")]),
    plain("shop.orders.repository.of_user", "user_id=$user page=$n", r#""[list with $n items]""#, (90.0, 0.3), &[("shop.db.session.query", 1.0, 2)], NEVER),
    plain("shop.orders.repository.save", r#"order={"id":$order,"state":"placed"}"#, "null", (110.0, 0.3), &[("shop.db.session.execute", 1.0, 2), ("shop.db.session.commit", 1.0, 1)], NEVER),
    // Billing.
    plain("shop.billing.service.charge", r#"order_id=$order amount=$money card="***" currency="EUR""#, r#"{"payment_id":"$uuid","state":"captured"}"#, (200.0, 0.4),
        &[("shop.billing.gateway.Client.post", 1.0, 1), ("shop.billing.ledger.book", 1.0, 2)],
        &[fails(11_000, "shop.billing.errors.CardDeclined", "card of user $user declined for order $order: code $n", "raise CardDeclined(order_id, answer.code)")]),
    plain("shop.billing.service.refund", "order_id=$order amount=$money", "true", (180.0, 0.4), &[("shop.billing.gateway.Client.post", 1.0, 1), ("shop.billing.ledger.book", 1.0, 2)], NEVER),
    of_kind("span", plain("shop.billing.gateway.Client.post", r#"url="https://bank.example/v2/payments/$uuid" timeout_s=5"#, r#"{"status":200}"#, (38_000.0, 0.6), &[("shop.net.tls.handshake", 0.1, 1)],
        &[fails(5_000, "TimeoutError", "no answer from 10.4.0.$n:8443 after $ms ms", "return self.pool.urlopen(request, timeout=timeout_s)"),
          fails(1_200, "ConnectionResetError", "[Errno 104] Connection reset by peer", "return self.socket.recv(size)")])),
    plain("shop.billing.ledger.book", r#"account="user:$user" amount=$money"#, "null", (70.0, 0.3), &[("shop.db.session.execute", 1.0, 1)], NEVER),
    plain("shop.billing.events.apply", r#"event={"id":"$uuid","order_id":$order}"#, "true", (150.0, 0.4), &[("shop.orders.repository.load", 1.0, 1), ("shop.billing.ledger.book", 0.9, 1), ("shop.db.session.commit", 1.0, 1)], NEVER),
    plain("shop.net.tls.handshake", r#"host="bank.example""#, "null", (9_000.0, 0.4), NONE, &[fails(900, "ssl.SSLError", "[SSL] record layer failure (_ssl.c:$n)", "self.connection.do_handshake()")]),
    // Stock.
    plain("shop.stock.reservations.reserve", r#"sku="$sku" quantity=$n order_id=$order"#, "true", (130.0, 0.4), &[("shop.stock.levels.level_of", 1.0, 1), ("shop.db.session.execute", 1.0, 1)],
        &[fails(6_000, "shop.stock.errors.OutOfStock", "only $n of '$sku' left", "raise OutOfStock(sku, level)")]),
    plain("shop.stock.levels.level_of", r#"sku="$sku""#, "$n", (40.0, 0.3), &[("shop.cache.client.get", 1.0, 1), ("shop.db.session.query", 0.2, 1)], NEVER),
    plain("shop.stock.warehouse.fetch_changes", r#"warehouse="w$n" since="2026-10-13T22:00:00Z""#, r#""[list with $n items]""#, (240_000.0, 0.5), &[("shop.net.http.get", 1.0, 1)], NEVER),
    of_kind("generator", plain("shop.stock.warehouse.changes", r#"path="/srv/shop/var/warehouse/$n.csv""#, "null", (9_000.0, 0.6), NONE, &[fails(9_000, "UnicodeDecodeError", "'utf-8' codec can't decode byte 0xe4 in position $n", "for row in csv.reader(file):")])),
    // Catalogue, search, recommendations.
    plain("shop.catalogue.repository.load", r#"sku="$sku""#, r#"{"sku":"$sku","name":"$word $word","price":$money}"#, (60.0, 0.3), &[("shop.cache.client.get", 1.0, 1), ("shop.db.session.query", 0.3, 2)], NEVER),
    plain("shop.catalogue.prices.price_of", r#"sku="$sku" user_id=$user"#, "$money", (35.0, 0.3), &[("shop.cache.client.get", 0.8, 1), ("shop.catalogue.prices.discount", 0.5, 1)], NEVER),
    plain("shop.catalogue.prices.discount", r#"price=$money user_id=$user"#, "$money", (12.0, 0.3), NONE, &[fails(120, "decimal.InvalidOperation", "[<class 'decimal.ConversionSyntax'>]", "return price * Decimal(rate)")]),
    plain("shop.search.index.query", r#"terms=["$word","$word"] limit=20"#, r#"{"hits":$n,"took_ms":$ms}"#, (6_500.0, 0.6), &[("shop.search.terms.normalise", 1.0, 3), ("shop.search.ranking.rank", 1.0, 1)],
        &[fails(800, "shop.search.errors.ShardFailed", "shard $n of index products_$n did not answer in $ms ms", "raise ShardFailed(shard)")]),
    plain("shop.search.terms.normalise", r#"term="$word""#, r#""$word""#, (9.0, 0.3), NONE, NEVER),
    plain("shop.search.ranking.rank", r#"hits="[list with $n items]""#, r#""[list with 20 items]""#, (850.0, 0.4), NONE, NEVER),
    plain("shop.recommend.similar", r#"sku="$sku" limit=6"#, r#"["$sku","$sku"]"#, (3_200.0, 0.7), &[("shop.cache.client.get", 1.0, 1), ("shop.recommend.model.predict", 0.4, 1)], NEVER),
    plain("shop.recommend.model.predict", r#"features="[ndarray float32 (6, 128)]""#, r#""[ndarray float32 (6,)]""#, (14_000.0, 0.4), NONE, &[fails(400, "RuntimeError", "model at /srv/models/similar-$n.bin is not loaded", "raise RuntimeError(f\"model at {path} is not loaded\")")]),
    plain("shop.fraud.rules.score", "user_id=$user amount=$money", "0.$n", (700.0, 0.5), &[("shop.fraud.features.collect", 1.0, 2)], NEVER),
    plain("shop.fraud.features.collect", r#"user_id=$user name="$word""#, r#"{"orders":$n,"age_days":$n}"#, (180.0, 0.5), &[("shop.db.session.query", 0.7, 1)], &[fails(300, "ZeroDivisionError", "division by zero", "return spent / orders")]),
    // Users, basket, files.
    plain("shop.users.passwords.verify", r#"email="$mail" password="***""#, "true", (52_000.0, 0.1), &[("shop.users.repository.by_email", 1.0, 1)], NEVER),
    plain("shop.users.sessions.open", "user_id=$user", r#""***""#, (60.0, 0.3), &[("shop.cache.client.set", 1.0, 1)], NEVER),
    plain("shop.users.sessions.load", r#"token="***""#, r#"{"user_id":$user}"#, (40.0, 0.3), &[("shop.cache.client.get", 1.0, 1)], NEVER),
    plain("shop.users.repository.load", "user_id=$user", r#"{"id":$user,"email":"$mail"}"#, (70.0, 0.3), &[("shop.db.session.query", 1.0, 1)], NEVER),
    plain("shop.users.repository.by_email", r#"email="$mail""#, r#"{"id":$user}"#, (70.0, 0.3), &[("shop.db.session.query", 1.0, 1)], NEVER),
    plain("shop.basket.store.load", "user_id=$user", r#"{"lines":$n}"#, (50.0, 0.3), &[("shop.cache.client.get", 1.0, 1)], NEVER),
    plain("shop.basket.store.save", r#"user_id=$user basket={"lines":$n,"total":$money}"#, "null", (60.0, 0.3), &[("shop.cache.client.set", 1.0, 1)], NEVER),
    plain("shop.storage.files.read", r#"path="/srv/shop/media/$sku.jpg""#, r#""[bytes 240 KB]""#, (900.0, 0.6), NONE, &[fails(2_500, "FileNotFoundError", "[Errno 2] No such file or directory: '/srv/shop/media/$sku.jpg'", "with open(path, \"rb\") as file:")]),
    // What everything ends in.
    plain("shop.db.session.query", r#"sql="SELECT * FROM $word WHERE id = ?" parameters=[$user]"#, r#""[list with $n items]""#, (420.0, 0.7), &[("shop.db.pool.acquire", 1.0, 1)],
        &[fails(140, "psycopg.errors.QueryCanceled", "canceling statement due to statement timeout after $ms ms", "return cursor.execute(sql, parameters)")]),
    plain("shop.db.session.execute", r#"sql="UPDATE $word SET total = ? WHERE id = ?" parameters=[$money,$order]"#, "1", (510.0, 0.7), &[("shop.db.pool.acquire", 1.0, 1)],
        &[fails(180, "psycopg.errors.DeadlockDetected", "process $n waits for ShareLock on transaction $order; blocked by process $n", "return cursor.execute(sql, parameters)"),
          fails(90, "psycopg.errors.UniqueViolation", "duplicate key value violates unique constraint \"orders_pkey\"", "return cursor.execute(sql, parameters)")]),
    plain("shop.db.session.commit", "", "null", (900.0, 0.6), NONE, NEVER),
    plain("shop.db.session.ping", "", "true", (150.0, 0.4), NONE, NEVER),
    plain("shop.db.pool.acquire", "timeout_s=2", r#""[Connection]""#, (14.0, 0.5), NONE, &[fails(30, "shop.db.errors.PoolExhausted", "no connection within $ms ms, $n in use", "raise PoolExhausted(self)")]),
    plain("shop.cache.client.get", r#"key="$word:$sku""#, r#""[bytes 412 B]""#, (85.0, 0.4), NONE, &[fails(40, "redis.exceptions.ConnectionError", "Error 111 connecting to 10.4.0.$n:6379", "raise ConnectionError(self.describe(fault))")]),
    plain("shop.cache.client.set", r#"key="$word:$user" seconds=3600"#, "true", (95.0, 0.4), NONE, NEVER),
    plain("shop.cache.client.ping", "", "true", (40.0, 0.3), NONE, NEVER),
    plain("shop.net.http.get", r#"url="https://$word.example/api/$n" timeout_s=30"#, r#"{"status":200,"bytes":$n}"#, (90_000.0, 0.7), &[("shop.net.tls.handshake", 0.5, 1)],
        &[fails(9_000, "requests.exceptions.ReadTimeout", "HTTPSConnectionPool(host='$word.example', port=443): Read timed out. (read timeout=30)", "return self.send(request)")]),
    plain("shop.events.bus.publish", r#"topic="orders.placed" event={"order_id":$order,"user_id":$user}"#, "null", (160.0, 0.4), &[("shop.cache.client.set", 1.0, 1)], NEVER),
    // Tasks.
    plain("shop.tasks.mail.send_confirmation", r#"order_id=$order to="$mail""#, "null", (700.0, 0.4), &[("shop.orders.repository.load", 1.0, 1), ("shop.web.render.template", 1.0, 1), ("shop.mail.smtp.send", 1.0, 1)], NEVER),
    plain("shop.mail.smtp.send", r#"to="$mail" subject="Order $order" bytes=$n"#, "true", (62_000.0, 0.5), NONE,
        &[fails(14_000, "smtplib.SMTPRecipientsRefused", "{'$mail': (550, b'no such user')}", "raise SMTPRecipientsRefused(refused)"), fails(3_000, "smtplib.SMTPServerDisconnected", "Connection unexpectedly closed", "self.getreply()")]),
    plain("shop.tasks.stock.sync_warehouse", r#"warehouse="w$n""#, "$n", (3_000.0, 0.4), &[("shop.stock.warehouse.fetch_changes", 1.0, 1), ("shop.stock.warehouse.changes", 1.0, 1), ("shop.stock.levels.level_of", 1.0, 60), ("shop.db.session.execute", 1.0, 30)], NEVER),
    plain("shop.tasks.reports.daily_revenue", r#"day="2026-10-13""#, r#"{"revenue":$money}"#, (40_000.0, 0.4), &[("shop.db.session.query", 1.0, 24), ("shop.storage.files.read", 1.0, 2)], NEVER),
    plain("shop.tasks.feed.export_products", r#"partner="$word""#, "$n", (60_000.0, 0.4), &[("shop.catalogue.repository.load", 1.0, 120), ("shop.net.http.get", 1.0, 1)], NEVER),
    plain("shop.tasks.fraud.rescore", "user_id=$user", "0.$n", (300.0, 0.4), &[("shop.fraud.rules.score", 1.0, 2), ("shop.users.repository.load", 1.0, 1)], NEVER),
];
