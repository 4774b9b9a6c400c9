/* import_words.c - the lists of import_words.h: English, Chinese, German, French. */
#include "service/collect/import_words.h"

#include <stdio.h>

#define USER_WORDS                                                                                                      \
    "user id|userid|user|customer id|customerid|customer|customer no|customer number|"                                  \
    "member id|member|member no|shopper id|shopper|household|household id|client id|"                                   \
    "client|用户id|用户编号|用户|会员id|会员编号|会员号|客户编号|客户id|客户号|顾客编号|" \
    "kundennummer|kundennr|kunde|kunden id|kunden nr|mitgliedsnummer|numéro client|"                                   \
    "n° client|no client|code client|identifiant client|~id"
#define CARD_WORDS                                                                                         \
    "card|card no|card number|loyalty card|member card|membership card|loyalty number|"                    \
    "会员卡号|会员卡|卡号|积分卡号|kartennummer|kundenkarte|kartennr|karte|numéro de carte|" \
    "carte de fidélité|carte"
#define PHONE_WORDS                                                                                           \
    "phone|phone number|mobile|mobile phone|mobile number|cell|cell phone|telephone|tel|"                     \
    "手机号|手机|手机号码|电话|电话号码|联系电话|telefon|telefonnummer|handy|handynummer|" \
    "mobil|mobilnummer|téléphone|portable|numéro de téléphone"
#define EMAIL_WORDS                                                                                   \
    "email|e-mail|mail|email address|e-mail address|customer email|邮箱|电子邮箱|电子邮件|" \
    "邮件|e-mail-adresse|emailadresse|mailadresse|courriel|adresse e-mail|adresse mail|"            \
    "adresse email"
#define OPEN_WORDS "openid|open id|unionid|wechat id|微信openid|微信号"
#define CURRENCY_WORDS \
    "currency|currency code|cur|ccy|币种|货币|货币代码|währung|waehrung|devise|monnaie"

#define STREET_WORDS                                                        \
    "street|address|street address|address1|address 1|地址|详细地址|" \
    "联系地址|straße|strasse|adresse|anschrift|rue|adresse postale"
#define POSTCODE_WORDS                                                        \
    "postcode|postal code|zip|zip code|邮编|邮政编码|plz|postleitzahl|" \
    "code postal|cp"
#define CITY_WORDS    "city|town|城市|市|stadt|ort|wohnort|ville|commune"
#define COUNTRY_WORDS "country|country code|国家|land|länderkürzel|pays|code pays"

static const import_meaning orders[IMPORT_ORDERS_COUNT] = {
    [IMPORT_ORDER] = {"order", IMPORT_TEXT,
                      "order|order id|order no|order number|order ref|order reference|invoice|"
                      "invoice no|invoice number|invoice id|receipt|receipt no|receipt number|"
                      "receipt id|transaction|transaction id|transaction no|transaction number|"
                      "basket id|basket|ticket|ticket number|sale id|bill no|"
                      "订单号|订单编号|订单id|单号|小票号|交易号|交易编号|流水号|销售单号|~订单|"
                      "bestellnummer|bestellnr|bestell nr|bestellung|auftragsnummer|auftrag|"
                      "auftragsnr|rechnungsnummer|rechnung|rechnungsnr|belegnummer|beleg|belegnr|"
                      "bonnummer|bon|bonnr|bon nr|kassenbon|numéro de commande|n° commande|"
                      "no commande|n° de commande|commande|numéro de facture|facture|n° facture|"
                      "ticket de caisse|n° ticket"},
    [IMPORT_AT] = {"at", IMPORT_TIME,
                   "~date|order date|date time|datetime|timestamp|created at|order time|"
                   "invoice date|purchase date|purchased at|transaction date|"
                   "transaction timestamp|sale date|~time|ordered at|paid at|"
                   "订单时间|下单时间|下单日期|订单日期|交易时间|交易日期|购买时间|购买日期|"
                   "销售日期|~日期|~时间|支付时间|创建时间|"
                   "~datum|bestelldatum|rechnungsdatum|belegdatum|kaufdatum|verkaufsdatum|"
                   "zeitstempel|date de commande|date commande|date d'achat|date achat|"
                   "date de facture|horodatage"},
    [IMPORT_TIME_COLUMN] = {"time", IMPORT_TIME_OF_DAY,
                            "time|time of day|~hour|时间|时刻|uhrzeit|zeit|heure"},
    [IMPORT_PRODUCT_CODE] = {"product", IMPORT_TEXT,
                             "sku|product id|product code|product no|item id|item code|item no|"
                             "item number|article|article no|stock code|stockcode|plu|~product|"
                             "~item|lineitem sku|variant sku|barcode|ean|gtin|upc|"
                             "商品编码|商品编号|商品id|商品代码|货号|条码|条形码|商品条码|物料编码|"
                             "artikelnummer|artikelnr|artikel nr|art nr|~artikel|produktnummer|"
                             "produktcode|produkt id|code article|référence|réf|code produit|"
                             "ref produit|code barres|~produit"},
    [IMPORT_NAME] = {"name", IMPORT_TEXT,
                     "product name|item name|product title|title|description|~name|"
                     "item description|product description|lineitem name|"
                     "商品名称|商品名|品名|商品标题|~名称|~商品|"
                     "artikelbezeichnung|bezeichnung|artikelname|produktname|produktbezeichnung|"
                     "désignation|libellé|nom du produit|nom produit|désignation article"},
    [IMPORT_CATEGORY] = {"category", IMPORT_TEXT,
                         "category|product category|department|product type|product group|"
                         "类别|分类|品类|商品分类|商品类别|部门|"
                         "kategorie|warengruppe|artikelgruppe|abteilung|catégorie|rayon|famille"},
    [IMPORT_QUANTITY] = {"quantity", IMPORT_NUMBER,
                         "quantity|qty|units|count|pieces|pcs|lineitem quantity|number of items|"
                         "数量|件数|个数|购买数量|销售数量|"
                         "menge|anzahl|stück|stückzahl|quantité|qté|nombre"},
    [IMPORT_PRICE] = {"price", IMPORT_MONEY,
                      "unit price|unitprice|price|item price|sales price|selling price|"
                      "lineitem price|price each|"
                      "单价|价格|售价|成交价|销售单价|商品单价|"
                      "einzelpreis|stückpreis|preis|verkaufspreis|vk preis|"
                      "prix unitaire|prix|pu|prix de vente|prix ttc"},
    [IMPORT_AMOUNT] = {"amount", IMPORT_MONEY,
                       "amount|line total|line amount|sales value|~value|sales amount|"
                       "extended amount|item total|net amount|line value|~revenue|"
                       "金额|小计|销售金额|商品金额|实付金额|成交金额|应收金额|"
                       "betrag|positionsbetrag|gesamtpreis|zeilensumme|umsatz|~wert|"
                       "montant|montant ligne|montant ttc|sous-total|~ca"},
    [IMPORT_TOTAL] = {"total", IMPORT_MONEY,
                      "order total|total|grand total|total price|invoice total|total amount|"
                      "订单金额|订单总额|总金额|合计|总计|总价|"
                      "gesamtbetrag|rechnungsbetrag|bestellsumme|summe|gesamtsumme|"
                      "total commande|montant total|total ttc"},
    [IMPORT_CURRENCY_COLUMN] = {"currency", IMPORT_CURRENCY, CURRENCY_WORDS},
    [IMPORT_STORE] = {"store", IMPORT_TEXT,
                      "store|store id|store no|store number|shop|shop id|branch|branch id|outlet|"
                      "location|location id|store code|"
                      "门店|门店编号|门店编码|店铺|店号|店铺编号|门店id|"
                      "filiale|filialnummer|filialnr|markt|laden|magasin|code magasin|boutique|"
                      "point de vente|n° magasin"},
    [IMPORT_STATUS] = {"status", IMPORT_TEXT,
                       "status|order status|state|financial status|订单状态|状态|交易状态|"
                       "bestellstatus|statut|état|statut commande"},
    [IMPORT_USER] = {"user", IMPORT_TEXT, USER_WORDS},
    [IMPORT_CARD] = {"card", IMPORT_TEXT, CARD_WORDS},
    [IMPORT_PHONE_COLUMN] = {"phone", IMPORT_PHONE, PHONE_WORDS},
    [IMPORT_EMAIL_COLUMN] = {"email", IMPORT_EMAIL, EMAIL_WORDS},
    [IMPORT_OPEN] = {"open", IMPORT_TEXT, OPEN_WORDS},
};

static const import_meaning products[IMPORT_PRODUCTS_COUNT] = {
    [IMPORT_P_CODE] = {"product", IMPORT_TEXT,
                       "sku|product id|product code|product no|item id|item code|item no|"
                       "item number|article no|stock code|stockcode|plu|variant sku|~id|~code|"
                       "~product|~item|~article|~handle|"
                       "商品编码|商品编号|商品id|商品代码|货号|物料编码|"
                       "artikelnummer|artikelnr|artikel nr|art nr|~artikel|produktnummer|"
                       "produktcode|code article|référence|réf|code produit|ref produit"},
    [IMPORT_P_TITLE] = {"title", IMPORT_TEXT,
                        "title|product name|item name|product title|~name|~description|"
                        "商品名称|商品名|品名|商品标题|~名称|"
                        "artikelbezeichnung|bezeichnung|artikelname|produktname|titel|"
                        "désignation|libellé|nom du produit|nom produit|titre|~nom"},
    [IMPORT_P_BRAND] = {"brand", IMPORT_TEXT,
                        "brand|brand name|manufacturer|vendor|品牌|厂商|生产商|marke|hersteller|"
                        "marque|fabricant"},
    [IMPORT_P_CATEGORY] = {"category", IMPORT_TEXT,
                           "category|product category|department|product type|product group|type|"
                           "类别|分类|品类|商品分类|商品类别|"
                           "kategorie|warengruppe|artikelgruppe|abteilung|catégorie|rayon|famille"},
    [IMPORT_P_GTIN] = {"gtin", IMPORT_TEXT,
                       "gtin|ean|upc|barcode|ean13|ean code|gtin13|isbn|variant barcode|"
                       "条码|条形码|商品条码|国际条码|ean-code|strichcode|code barres|code-barres"},
    [IMPORT_P_PRICE] =
        {"price", IMPORT_MONEY,
         "price|unit price|list price|sales price|selling price|retail price|"
         "variant price|单价|价格|售价|零售价|标价|"
         "preis|verkaufspreis|vk|listenpreis|prix|prix de vente|prix ttc|prix public"},
    [IMPORT_P_CURRENCY] = {"currency", IMPORT_CURRENCY, CURRENCY_WORDS},
    [IMPORT_P_URL] = {"url", IMPORT_URL,
                      "url|link|product url|product link|page|链接|商品链接|网址|lien|url produit"},
    [IMPORT_P_IMAGE] = {"image", IMPORT_URL,
                        "image|image link|image url|picture|photo|image src|图片|图片链接|主图|"
                        "bild|bild url|bildlink|lien image|photo url"},
    [IMPORT_P_AVAILABILITY] = {"availability", IMPORT_TEXT,
                               "availability|in stock|stock status|available|库存状态|上架状态|"
                               "verfügbarkeit|lieferbar|lieferstatus|disponibilité|en stock"},
    [IMPORT_P_ATTRIBUTES] = {"attributes", IMPORT_TEXT, "attributes"},
    [IMPORT_P_DESCRIBED] = {"described", IMPORT_YES, "described"},
    [IMPORT_P_SINCE] = {"since", IMPORT_TIME, "since"},
};

static const import_meaning stores[IMPORT_STORES_COUNT] = {
    [IMPORT_ST_CODE] =
        {"store", IMPORT_TEXT,
         "store|store id|store code|store no|store number|shop id|shop code|branch id|"
         "branch code|outlet id|location id|~code|~id|~shop|~branch|~number|"
         "门店编号|门店编码|门店id|门店代码|店铺编号|店号|店铺id|~门店|~编号|"
         "filialnummer|filialnr|filial nr|marktnummer|ladennummer|~filiale|~nummer|"
         "code magasin|n° magasin|numéro de magasin|~magasin"},
    [IMPORT_ST_NAME] =
        {"name", IMPORT_TEXT,
         "name|store name|shop name|branch name|~title|~description|门店名称|店名|店铺名称|"
         "~名称|filialname|marktname|bezeichnung|nom du magasin|nom magasin|~nom|enseigne"},
    [IMPORT_ST_ZONE] = {"zone", IMPORT_TEXT,
                        "time zone|timezone|tz|~zone|时区|zeitzone|fuseau horaire|fuseau"},
    [IMPORT_ST_CURRENCY] = {"currency", IMPORT_CURRENCY, CURRENCY_WORDS},
    [IMPORT_ST_OPENS] = {"opens", IMPORT_TIME_OF_DAY,
                         "opens|open|opening time|opens at|open from|开门时间|营业开始|开业时间|"
                         "öffnet|öffnungszeit|geöffnet ab|ouverture|ouvre"},
    [IMPORT_ST_CLOSES] =
        {"closes", IMPORT_TIME_OF_DAY,
         "closes|close|closing time|closes at|open until|关门时间|营业结束|打烊时间|"
         "schließt|geöffnet bis|ladenschluss|fermeture|ferme"},
    [IMPORT_ST_STREET] = {"street", IMPORT_TEXT, STREET_WORDS},
    [IMPORT_ST_POSTCODE] = {"postcode", IMPORT_TEXT, POSTCODE_WORDS},
    [IMPORT_ST_CITY] = {"city", IMPORT_TEXT, CITY_WORDS},
    [IMPORT_ST_COUNTRY] = {"country", IMPORT_TEXT, COUNTRY_WORDS},
    [IMPORT_ST_LAT] = {"lat", IMPORT_NUMBER, "latitude|lat|纬度|breitengrad|breite|~y"},
    [IMPORT_ST_LON] = {"lon", IMPORT_NUMBER, "longitude|lon|lng|long|经度|längengrad|länge|~x"},
};

static const import_meaning shoppers[IMPORT_SHOPPERS_COUNT] = {
    [IMPORT_S_USER] = {"user", IMPORT_TEXT, USER_WORDS},
    [IMPORT_S_CARD] = {"card", IMPORT_TEXT, CARD_WORDS},
    [IMPORT_S_PHONE] = {"phone", IMPORT_PHONE, PHONE_WORDS},
    [IMPORT_S_EMAIL] = {"email", IMPORT_EMAIL, EMAIL_WORDS},
    [IMPORT_S_OPEN] = {"open", IMPORT_TEXT, OPEN_WORDS},
    [IMPORT_S_AT] = {"at", IMPORT_TIME,
                     "updated at|changed at|created at|registered at|registration date|joined|"
                     "join date|member since|customer since|signup date|~date|"
                     "注册时间|注册日期|入会时间|入会日期|创建时间|更新时间|"
                     "registriert am|anmeldedatum|kunde seit|mitglied seit|geändert am|erstellt am|"
                     "date d'inscription|inscrit le|client depuis|date de création"},
    [IMPORT_S_NAME] = {"name", IMPORT_TEXT,
                       "name|full name|customer name|姓名|名字|会员姓名|客户姓名|~昵称|"
                       "kundenname|vollständiger name|nom complet|nom client"},
    [IMPORT_S_FIRST_NAME] = {"first_name", IMPORT_TEXT,
                             "first name|firstname|given name|forename|名|vorname|prénom"},
    [IMPORT_S_LAST_NAME] = {"last_name", IMPORT_TEXT,
                            "last name|lastname|surname|family name|姓|nachname|familienname|"
                            "nom|nom de famille"},
    [IMPORT_S_BIRTHDAY] = {"birthday", IMPORT_TIME,
                           "birthday|birth date|birthdate|date of birth|dob|生日|出生日期|"
                           "出生年月|geburtstag|geburtsdatum|date de naissance|naissance|né le"},
    [IMPORT_S_GENDER] = {"gender", IMPORT_TEXT,
                         "gender|sex|性别|geschlecht|anrede|sexe|genre|civilité"},
    [IMPORT_S_STREET] = {"street", IMPORT_TEXT, STREET_WORDS},
    [IMPORT_S_POSTCODE] = {"postcode", IMPORT_TEXT, POSTCODE_WORDS},
    [IMPORT_S_CITY] = {"city", IMPORT_TEXT, CITY_WORDS},
    [IMPORT_S_COUNTRY] = {"country", IMPORT_TEXT, COUNTRY_WORDS},
};

static const import_meaning consents[IMPORT_CONSENTS_COUNT] = {
    [IMPORT_C_USER] = {"user", IMPORT_TEXT, USER_WORDS},
    [IMPORT_C_CARD] = {"card", IMPORT_TEXT, CARD_WORDS},
    [IMPORT_C_PHONE] = {"phone", IMPORT_PHONE, PHONE_WORDS},
    [IMPORT_C_EMAIL] = {"email", IMPORT_EMAIL, EMAIL_WORDS},
    [IMPORT_C_OPEN] = {"open", IMPORT_TEXT, OPEN_WORDS},
    [IMPORT_C_PURPOSE] = {"purpose", IMPORT_TEXT,
                          "purpose|consent purpose|scope|topic|用途|目的|授权用途|zweck|"
                          "verwendungszweck|finalité|but|objet"},
    [IMPORT_C_GIVEN] = {"given", IMPORT_YES,
                        "given|consent|granted|state|status|opt in|opt-in|optin|subscribed|agreed|"
                        "同意|是否同意|授权|状态|einwilligung|erteilt|zustimmung|"
                        "consentement|accord|donné|statut"},
    [IMPORT_C_BASIS] = {"basis", IMPORT_TEXT,
                        "basis|legal basis|lawful basis|依据|法律依据|rechtsgrundlage|grundlage|"
                        "base légale|fondement"},
    [IMPORT_C_AT] = {"at", IMPORT_TIME,
                     "at|date|time|timestamp|given at|consent date|consented at|since|from|"
                     "created at|授权时间|同意时间|时间|日期|datum|zeitpunkt|erteilt am|seit|"
                     "date du consentement|donné le|depuis"},
    [IMPORT_C_UNTIL] = {"until", IMPORT_TIME,
                        "until|to|expires|expires at|expiry|valid until|end|到期时间|有效期至|"
                        "截止日期|gültig bis|bis|ablauf|jusqu'au|expire le|fin"},
    [IMPORT_C_EVIDENCE] = {"evidence", IMPORT_TEXT,
                           "evidence|proof|source|form|note|where|凭证|证据|来源|渠道|备注|"
                           "nachweis|beleg|quelle|herkunft|preuve|origine|formulaire"},
    [IMPORT_C_AGE] =
        {"age", IMPORT_TEXT,
         "age|age band|age group|adult|年龄|成年|是否成年|alter|volljährig|âge|majeur"},
    [IMPORT_C_GUARDIAN] = {"guardian", IMPORT_YES,
                           "guardian|by guardian|parental consent|parent|监护人|监护人同意|"
                           "erziehungsberechtigter|vormund|eltern|tuteur|parental"},
};

#define KIND(name, table)                         \
    {                                             \
        name, table, sizeof table / sizeof *table \
    }
const import_kind import_orders_kind = KIND("orders", orders);
const import_kind import_products_kind = KIND("products", products);
const import_kind import_stores_kind = KIND("stores", stores);
const import_kind import_shoppers_kind = KIND("shoppers", shoppers);
const import_kind import_consents_kind = KIND("consents", consents);

/* ---- comparing ----------------------------------------------------------------------------------------------- */

enum { FOLDED_MOST = 120, EXACT = 95, WEAK = 80, HOLDS = 70 };
enum { HELD_LEAST = 6 }; /* two Chinese characters are 6 bytes, too */

struct folded {
    char at[FOLDED_MOST];
    size_t bytes;
};

/* The length of what stands between words: spaces, marks, full-width brackets. */
static size_t mark_bytes(souk_text text)
{
    static const char *const wide[] = {"\xC2\xA0",     "\xC2\xB0",     "\xEF\xBC\x9A",
                                       "\xE3\x80\x80", "\xE2\x80\x99", "\xEF\xBB\xBF"};
    unsigned char first = (unsigned char)text.at[0];
    if (first < 0x80)
        return memchr(" \t\r\n_-./:#'\"*?,;", first, 17) ? 1 : 0;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (souk_text_starts(text, souk_text_of(wide[i])))
            return strlen(wide[i]);
    return 0;
}

/* "(CNY)", "（元）": how long it is with its brackets, where it is closed. */
static size_t bracket_bytes(souk_text text)
{
    static const struct {
        const char *open, *close;
    } brackets[] = {{"(", ")"}, {"[", "]"}, {"\xEF\xBC\x88", "\xEF\xBC\x89"}};
    for (size_t i = 0; i < sizeof brackets / sizeof *brackets; i++) {
        if (!souk_text_starts(text, souk_text_of(brackets[i].open)))
            continue;
        size_t bytes = strlen(brackets[i].close);
        const char *end = memmem(text.at, text.bytes, brackets[i].close, bytes);
        return end ? (size_t)(end - text.at) + bytes : 0;
    }
    return 0;
}

static void fold(souk_text text, struct folded *folded)
{
    folded->bytes = 0;
    while (text.bytes && folded->bytes < FOLDED_MOST) {
        size_t passed = mark_bytes(text);
        if (passed == 0 && folded->bytes)
            passed = bracket_bytes(text);
        if (passed == 0) {
            unsigned char byte = (unsigned char)text.at[0];
            bool accent = folded->bytes && (unsigned char)folded->at[folded->bytes - 1] == 0xC3;
            if (byte >= 'A' && byte <= 'Z')
                byte = (unsigned char)(byte + 32);
            else if (accent && byte >= 0x80 && byte <= 0x9E && byte != 0x97)
                byte = (unsigned char)(byte + 32); /* À to Þ, in UTF-8 C3 80 to C3 9E */
            folded->at[folded->bytes++] = (char)byte;
            passed = 1;
        }
        text.at += passed;
        text.bytes -= passed;
    }
}

/* Whether the heading goes on with the word from here; where it then stands.  Words are in lower case. */
static bool goes_on(const struct folded *heading, size_t at, souk_text word, size_t *ret_end)
{
    while (word.bytes) {
        bool same = at < heading->bytes && heading->at[at] == word.at[0];
        size_t passed = same ? 1 : mark_bytes(word); /* a folded heading has no marks */
        if (passed == 0)
            return false;
        at += same;
        word.at += passed;
        word.bytes -= passed;
    }
    *ret_end = at;
    return true;
}

static unsigned score_of(const struct folded *heading, souk_text word)
{
    bool weak = word.at[0] == '~';
    size_t end;
    if (weak)
        word = souk_text_range(word.at + 1, word.at + word.bytes);
    if (goes_on(heading, 0, word, &end) && end == heading->bytes)
        return weak ? WEAK : EXACT;
    for (size_t at = 0; !weak && at + HELD_LEAST <= heading->bytes; at++)
        if (goes_on(heading, at, word, &end) && end - at >= HELD_LEAST)
            return HOLDS;
    return 0;
}

unsigned import_word_score(const import_meaning *meaning, souk_text heading)
{
    struct folded folded;
    souk_text words = souk_text_of(meaning->words);
    unsigned best = 0;
    fold(heading, &folded);
    while (words.bytes && folded.bytes && best < EXACT) {
        unsigned score = score_of(&folded, souk_text_cut(&words, '|'));
        best = score > best ? score : best;
    }
    return best;
}

int import_meaning_of(const import_kind *kind, souk_text name)
{
    for (size_t i = 0; i < kind->count; i++)
        if (souk_text_equal_nocase(name, souk_text_of(kind->meanings[i].name)))
            return (int)i;
    return -1;
}

void import_list_meanings(const import_kind *kind, char *out, size_t bytes)
{
    out[0] = '\0';
    for (size_t i = 0; i < kind->count; i++)
        snprintf(out + strlen(out), bytes - strlen(out), "%s%s", i ? ", " : "",
                 kind->meanings[i].name);
}
