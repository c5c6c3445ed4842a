"""SQLAlchemy and Django models: the columns that are loaded, and never a query.

Once the values are made, every query ends the program.
"""

import django
import sqlalchemy
from django.conf import settings
from django.db import connection, models
from sqlalchemy import event, orm

# ------------------------------------------------------------------------------------------------------- SQLAlchemy


class Base(orm.DeclarativeBase):
    """The models' base class."""


class Author(Base):
    __tablename__ = "author"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str]
    password: orm.Mapped[str] = orm.mapped_column(default="hidden-pw")
    biography: orm.Mapped[str] = orm.mapped_column(deferred=True, default="long")
    books: orm.Mapped[list["Book"]] = orm.relationship(back_populates="author")


class Book(Base):
    __tablename__ = "book"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    title: orm.Mapped[str]
    author_id: orm.Mapped[int] = orm.mapped_column(sqlalchemy.ForeignKey("author.id"))
    author: orm.Mapped[Author] = orm.relationship(back_populates="books")


ENGINE = sqlalchemy.create_engine("sqlite://", poolclass=sqlalchemy.pool.StaticPool)
Base.metadata.create_all(ENGINE)
SESSION = orm.Session(ENGINE, expire_on_commit=False)
SESSION.add(Author(id=1, name="Ursula", books=[Book(id=1, title="Rocannon")]))
SESSION.commit()
SESSION.close()

LOADED = SESSION.get_one(Author, 1)
WITH_BOOKS = orm.Session(ENGINE).scalars(sqlalchemy.select(Author).options(orm.selectinload(Author.books))).one()
EXPIRED_SESSION = orm.Session(ENGINE)
EXPIRED = EXPIRED_SESSION.get_one(Author, 1)
EXPIRED_SESSION.expire(EXPIRED)
PARTLY = orm.Session(ENGINE).scalars(sqlalchemy.select(Book).options(orm.load_only(Book.title))).one()
ROW = orm.Session(ENGINE).execute(sqlalchemy.select(Book.id, Book.title)).one()
SELECT = sqlalchemy.select(Book.title).where(Book.id == 7)


def no_query(*_: object) -> None:
    raise SystemExit("a query ran")


event.listen(ENGINE, "before_cursor_execute", no_query)

# ----------------------------------------------------------------------------------------------------------- Django

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=[],
    USE_TZ=True,
)
django.setup()


class Shop(models.Model):
    name = models.CharField(max_length=50)
    city = models.CharField(max_length=50, default="Lyon")
    api_key = models.CharField(max_length=50, default="hidden-key")

    class Meta:
        app_label = "corpus"


class Sale(models.Model):
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE)
    amount = models.DecimalField(max_digits=8, decimal_places=2)

    class Meta:
        app_label = "corpus"


with connection.schema_editor() as editor:
    editor.create_model(Shop)
    editor.create_model(Sale)
Sale.objects.create(shop=Shop.objects.create(name="Corner"), amount="19.90")

SHOP = Shop.objects.get()
DEFERRED = Shop.objects.only("name").get()
SALE = Sale.objects.get()
JOINED = Sale.objects.select_related("shop").get()
QUERYSET = Shop.objects.filter(name="Corner")
connection.execute_wrapper(no_query).__enter__()

VALUES = """
LOADED  # in any order
WITH_BOOKS  # in any order
EXPIRED
PARTLY  # in any order
ROW
Author(name='transient')
Book()
[LOADED, LOADED]  # in any order
SELECT
SESSION
ENGINE
Author
Author.name
Base.metadata
sqlalchemy.engine.url.make_url('postgresql://ann:hidden-pw@db.example.org/shop')
SHOP
DEFERRED
SALE
JOINED
Shop(name='unsaved')
QUERYSET
Shop.objects
Shop
connection
"""
