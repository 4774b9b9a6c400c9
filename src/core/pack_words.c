/* pack_words.c - the vocabulary of pack.c, version 1.  Frozen: see pack_words.h. */
#include "core/pack_words.h"

const souk_pack_key souk_pack_keys[] = {
    /* A browser's event. */
    {"timestamp", 's', AT_STAMP, 10, AT_KEY},
    {"integrations\":{}", 'w', AT_CLOSED, 9, AT_KEY},
    {"anonymousId", 's', AT_ID, 10, AT_KEY},
    {"event", 's', AT_CODE, 9, AT_KEY},
    {"type\":\"track", 'w', AT_DONE, 8, AT_KEY},
    {"properties", 'o', AT_KEY, 9, AT_KEY_DEAL},
    {"product_id", 's', AT_ID, 9, AT_KEY_DEAL},
    {"sku", 's', AT_ID, 9, AT_KEY_DEAL},
    {"name", 's', AT_TEXT, 10, AT_KEY_DEAL},
    {"brand", 's', AT_TEXT, 8, AT_KEY_DEAL},
    {"category", 's', AT_TEXT, 8, AT_KEY_DEAL},
    {"price", 'v', AT_NUMBER, 9, AT_KEY_DEAL},
    {"quantity", 'v', AT_NUMBER, 9, AT_KEY_DEAL},
    {"currency", 'S', AT_CODE, 9, AT_KEY_DEAL},
    {"context", 'o', AT_KEY, 9, AT_KEY_CONTEXT},
    {"page", 'o', AT_KEY, 8, AT_KEY_CONTEXT},
    {"path", 's', AT_URL, 9, AT_KEY_CONTEXT},
    {"referrer", 's', AT_URL, 9, AT_KEY_CONTEXT},
    {"search", 's', AT_URL, 9, AT_KEY_CONTEXT},
    {"title", 's', AT_TEXT, 9, AT_KEY_CONTEXT},
    {"url", 'S', AT_URL, 9, AT_KEY_CONTEXT},
    {"userAgent", 's', AT_AGENT, 9, AT_KEY_CONTEXT},
    {"locale", 's', AT_CODE, 9, AT_KEY_CONTEXT},
    {"library\":{\"name\":\"analytics.js\",\"version\":\"npm:next-1.", 'W', AT_DIGIT, 7,
     AT_KEY_CONTEXT},
    {"timezone", 'S', AT_CODE, 7, AT_KEY_CONTEXT},
    {"messageId", 's', AT_STAMP, 10, AT_KEY},
    {"writeKey", 's', AT_ID, 7, AT_KEY},
    {"sentAt", 's', AT_STAMP, 8, AT_KEY},
    {"_metadata\":{\"bundled\":[\"Segment.io\"],\"unbundled\":[],\"bundledIds\":[]}}", 'w',
     AT_CLOSED, 7, AT_KEY},
    /* The same where it differs. */
    {"userId", 's', AT_ID, 9, AT_KEY},
    {"anonymousId", 's', AT_ID, 10, AT_KEY},
    {"integrations\":{\"Segment.io\":true}", 'w', AT_CLOSED, 5, AT_KEY},
    {"anonymousId", 's', AT_ID, 10, AT_KEY},
    {"type\":\"page", 'w', AT_DONE, 7, AT_KEY},
    {"properties", 'o', AT_KEY, 9, AT_KEY_DEAL},
    {"variant", 's', AT_TEXT, 8, AT_KEY_DEAL},
    {"price", 'v', AT_NUMBER, 9, AT_KEY_DEAL},
    {"library\":{\"name\":\"analytics.js\",\"version\":\"next-1.", 'W', AT_DIGIT, 7,
     AT_KEY_CONTEXT},
    {"timezone", 's', AT_CODE, 7, AT_KEY_CONTEXT},
    {"userAgentData\":{\"brands\":[{\"brand\":\"", 'w', AT_AGENT, 7, AT_KEY_CONTEXT},
    {"mobile\":false,\"platform\":\"", 'W', AT_CODE, 7, AT_KEY_CONTEXT},
    {"locale", 's', AT_CODE, 9, AT_KEY_CONTEXT},
    {"mobile\":true,\"platform\":\"", 'W', AT_CODE, 6, AT_KEY_CONTEXT},
    {"locale", 's', AT_CODE, 9, AT_KEY_CONTEXT},
    {"type\":\"identify", 'w', AT_DONE, 6, AT_KEY},
    {"traits", 'o', AT_KEY, 7, AT_KEY_PERSON},
    {"email", 's', AT_TEXT, 6, AT_KEY_PERSON},
    /* A server's event. */
    {"library\":{\"name\":\"@segment/analytics-node\",\"version\":\"", 'D', AT_DIGIT, 7,
     AT_KEY_CONTEXT},
    {"messageId", 's', AT_STAMP, 10, AT_KEY},
    {"_metadata\":{\"nodeVersion\":\"", 'w', AT_DIGIT, 7, AT_KEY},
    {"jsRuntime\":\"node", 'w', AT_DONE, 7, AT_KEY},
    {"library\":{\"name\":\"@rudderstack/rudder-sdk-node\",\"version\":\"", 'D', AT_DIGIT, 6,
     AT_KEY_CONTEXT},
    {"type\":\"track", 'w', AT_DONE, 8, AT_KEY},
    /* RudderStack's events. */
    {"channel\":\"web", 'w', AT_DONE, 5, AT_KEY},
    {"context", 'o', AT_KEY, 9, AT_KEY_CONTEXT},
    {"traits\":{}", 'w', AT_CLOSED, 5, AT_KEY_PERSON},
    {"sessionId", 'v', AT_NUMBER, 6, AT_KEY_CONTEXT},
    {"app\":{\"name\":\"RudderLabs JavaScript SDK\",\"namespace\":\"com.rudderlabs.javascript\","
     "\"version\":\"",
     'w', AT_DIGIT, 6, AT_KEY_CONTEXT},
    {"installType\":\"npm", 'W', AT_DONE, 5, AT_KEY_CONTEXT},
    {"library\":{\"name\":\"RudderLabs JavaScript SDK\",\"version\":\"", 'W', AT_DIGIT, 6,
     AT_KEY_CONTEXT},
    {"userAgent", 's', AT_AGENT, 9, AT_KEY_CONTEXT},
    {"installType\":\"cdn", 'W', AT_DONE, 5, AT_KEY_CONTEXT},
    {"library\":{\"name\":\"RudderLabs JavaScript SDK\",\"version\":\"", 'w', AT_DIGIT, 6,
     AT_KEY_CONTEXT},
    {"originalTimestamp", 's', AT_STAMP, 7, AT_KEY},
    {"integrations\":{\"All\":true}", 'w', AT_CLOSED, 6, AT_KEY},
    {"messageId", 's', AT_STAMP, 10, AT_KEY},
    {"channel\":\"server", 'w', AT_DONE, 5, AT_KEY},
    {"sentAt", 's', AT_STAMP, 8, AT_KEY},
    /* The rest, by what belongs together. */
    {"properties\":{}", 'w', AT_CLOSED, 4, AT_KEY},
    {"position", 'v', AT_NUMBER, 6, AT_KEY_DEAL},
    {"value", 'v', AT_NUMBER, 6, AT_KEY_DEAL},
    {"coupon", 's', AT_ID, 6, AT_KEY_DEAL},
    {"image_url", 's', AT_URL, 5, AT_KEY_DEAL},
    {"checkout_id", 's', AT_ID, 6, AT_KEY_DEAL},
    {"order_id", 's', AT_ID, 7, AT_KEY_DEAL},
    {"affiliation", 's', AT_TEXT, 6, AT_KEY_DEAL},
    {"subtotal", 'v', AT_NUMBER, 6, AT_KEY_DEAL},
    {"total", 'v', AT_NUMBER, 7, AT_KEY_DEAL},
    {"revenue", 'v', AT_NUMBER, 7, AT_KEY_DEAL},
    {"shipping", 'v', AT_NUMBER, 6, AT_KEY_DEAL},
    {"tax", 'v', AT_NUMBER, 6, AT_KEY_DEAL},
    {"discount", 'v', AT_NUMBER, 6, AT_KEY_DEAL},
    {"products", 'a', AT_KEY, 7, AT_KEY_DEAL},
    {"cart_id", 's', AT_ID, 6, AT_KEY_DEAL},
    {"list_id", 's', AT_ID, 5, AT_KEY_DEAL},
    {"list", 's', AT_TEXT, 3, AT_KEY_DEAL},
    {"filters", 'a', AT_KEY, 3, AT_KEY_DEAL},
    {"sorts", 'a', AT_KEY, 3, AT_KEY_DEAL},
    {"query", 's', AT_TEXT, 5, AT_KEY_DEAL},
    {"promotion_id", 's', AT_ID, 4, AT_KEY_DEAL},
    {"creative", 's', AT_TEXT, 4, AT_KEY_DEAL},
    {"coupon_id", 's', AT_ID, 3, AT_KEY_DEAL},
    {"coupon_name", 's', AT_TEXT, 3, AT_KEY_DEAL},
    {"reason", 's', AT_TEXT, 3, AT_KEY_DEAL},
    {"step", 'v', AT_NUMBER, 4, AT_KEY_DEAL},
    {"shipping_method", 's', AT_TEXT, 4, AT_KEY_DEAL},
    {"payment_method", 's', AT_CODE, 4, AT_KEY_DEAL},
    {"wishlist_id", 's', AT_ID, 3, AT_KEY_DEAL},
    {"wishlist_name", 's', AT_TEXT, 3, AT_KEY_DEAL},
    {"share_via", 's', AT_TEXT, 2, AT_KEY_DEAL},
    {"share_message", 's', AT_TEXT, 2, AT_KEY_DEAL},
    {"recipient", 's', AT_TEXT, 2, AT_KEY_DEAL},
    {"review_id", 's', AT_ID, 4, AT_KEY_DEAL},
    {"rating", 'v', AT_NUMBER, 4, AT_KEY_DEAL},
    {"review_body", 's', AT_TEXT, 4, AT_KEY_DEAL},
    {"size", 's', AT_UPPER, 5, AT_KEY_DEAL},
    {"color", 's', AT_TEXT, 5, AT_KEY_DEAL},
    {"label", 's', AT_TEXT, 4, AT_KEY_DEAL},
    {"store_id", 's', AT_ID, 5, AT_KEY_DEAL},
    {"store", 's', AT_TEXT, 4, AT_KEY_DEAL},
    {"zone_id", 's', AT_ID, 4, AT_KEY_DEAL},
    {"zone", 's', AT_TEXT, 4, AT_KEY_DEAL},
    {"device_id", 's', AT_ID, 4, AT_KEY_DEAL},
    {"epc", 's', AT_ID, 4, AT_KEY_DEAL},
    {"gtin", 's', AT_ID, 4, AT_KEY_DEAL},
    {"dwell_seconds", 'v', AT_NUMBER, 4, AT_KEY_DEAL},
    {"items", 'a', AT_KEY, 4, AT_KEY_DEAL},
    {"count", 'v', AT_NUMBER, 4, AT_KEY_DEAL},
    {"source_id", 's', AT_ID, 3, AT_KEY_DEAL},
    {"session_id", 's', AT_ID, 4, AT_KEY_DEAL},
    {"context\":{}", 'w', AT_CLOSED, 3, AT_KEY},
    {"referring_domain", 's', AT_URL, 5, AT_KEY_CONTEXT},
    {"tab_url", 's', AT_URL, 5, AT_KEY_CONTEXT},
    {"initial_referrer", 's', AT_URL, 5, AT_KEY_CONTEXT},
    {"initial_referring_domain", 's', AT_URL, 5, AT_KEY_CONTEXT},
    {"hash", 's', AT_TEXT, 3, AT_KEY_CONTEXT},
    {"library\":{\"name\":\"", 'w', AT_CODE, 7, AT_KEY_CONTEXT},
    {"library", 'o', AT_KEY, 5, AT_KEY_CONTEXT},
    {"version", 's', AT_DIGIT, 8, AT_KEY_CONTEXT},
    {"traits\":{}", 'w', AT_CLOSED, 5, AT_KEY_PERSON},
    {"firstName", 's', AT_TEXT, 6, AT_KEY_PERSON},
    {"lastName", 's', AT_TEXT, 6, AT_KEY_PERSON},
    {"phone", 's', AT_ID, 6, AT_KEY_PERSON},
    {"gender", 's', AT_CODE, 5, AT_KEY_PERSON},
    {"birthday", 's', AT_DIGIT, 5, AT_KEY_PERSON},
    {"age", 'v', AT_NUMBER, 5, AT_KEY_PERSON},
    {"createdAt", 's', AT_STAMP, 5, AT_KEY_PERSON},
    {"address", 'o', AT_KEY, 5, AT_KEY_PERSON},
    {"street", 's', AT_TEXT, 5, AT_KEY_PERSON},
    {"city", 's', AT_TEXT, 6, AT_KEY_PERSON},
    {"state", 's', AT_TEXT, 5, AT_KEY_PERSON},
    {"postalCode", 's', AT_ID, 5, AT_KEY_PERSON},
    {"country", 's', AT_CODE, 5, AT_KEY_PERSON},
    {"avatar", 's', AT_URL, 3, AT_KEY_PERSON},
    {"company", 'o', AT_KEY, 3, AT_KEY_PERSON},
    {"description", 's', AT_TEXT, 4, AT_KEY_PERSON},
    {"username", 's', AT_TEXT, 4, AT_KEY_PERSON},
    {"website", 's', AT_URL, 3, AT_KEY_PERSON},
    {"plan", 's', AT_TEXT, 4, AT_KEY_PERSON},
    {"id", 's', AT_ID, 6, AT_KEY_CONTEXT},
    {"loyalty_tier", 's', AT_TEXT, 4, AT_KEY_PERSON},
    {"marketing_consent", 'v', AT_NUMBER, 3, AT_KEY_PERSON},
    {"sessionId", 'v', AT_NUMBER, 6, AT_KEY_CONTEXT},
    {"sessionStart", 'v', AT_NUMBER, 4, AT_KEY_CONTEXT},
    {"consentManagement\":{}", 'w', AT_CLOSED, 3, AT_KEY_CONTEXT},
    {"consentManagement", 'o', AT_KEY, 3, AT_KEY_CONTEXT},
    {"allowedConsentIds", 'l', AT_TEXT, 3, AT_KEY_CONTEXT},
    {"deniedConsentIds", 'l', AT_TEXT, 3, AT_KEY_CONTEXT},
    {"provider", 's', AT_TEXT, 3, AT_KEY_CONTEXT},
    {"resolutionStrategy", 's', AT_TEXT, 2, AT_KEY_CONTEXT},
    {"consent\":{\"categoryPreferences\":{\"", 'w', AT_LOWER, 4, AT_KEY_CONTEXT},
    {"campaign\":{}", 'w', AT_CLOSED, 6, AT_KEY_CONTEXT},
    {"campaign", 'o', AT_KEY, 5, AT_KEY_CONTEXT},
    {"source", 's', AT_TEXT, 5, AT_KEY_CONTEXT},
    {"medium", 's', AT_TEXT, 5, AT_KEY_CONTEXT},
    {"term", 's', AT_TEXT, 4, AT_KEY_CONTEXT},
    {"content", 's', AT_TEXT, 4, AT_KEY_CONTEXT},
    {"app\":{\"name\":\"RudderLabs JavaScript SDK\",\"namespace\":\"com.rudderlabs.javascript\","
     "\"version\":\"",
     'w', AT_DIGIT, 6, AT_KEY_CONTEXT},
    {"installType\":\"npm", 'w', AT_DONE, 5, AT_KEY_CONTEXT},
    {"app", 'o', AT_KEY, 5, AT_KEY_CONTEXT},
    {"build", 's', AT_DIGIT, 4, AT_KEY_CONTEXT},
    {"namespace", 's', AT_LOWER, 4, AT_KEY_CONTEXT},
    {"device", 'o', AT_KEY, 5, AT_KEY_CONTEXT},
    {"advertisingId", 's', AT_ID, 4, AT_KEY_CONTEXT},
    {"adTrackingEnabled", 'v', AT_NUMBER, 3, AT_KEY_CONTEXT},
    {"manufacturer", 's', AT_TEXT, 4, AT_KEY_CONTEXT},
    {"model", 's', AT_TEXT, 4, AT_KEY_CONTEXT},
    {"token", 's', AT_ID, 3, AT_KEY_CONTEXT},
    {"os\":{\"name\":\"iOS\",\"version\":\"", 'w', AT_DIGIT, 4, AT_KEY_CONTEXT},
    {"os\":{\"name\":\"Android\",\"version\":\"", 'w', AT_DIGIT, 4, AT_KEY_CONTEXT},
    {"os\":{\"name\":\"\",\"version\":\"", 'w', AT_DONE, 5, AT_KEY_CONTEXT},
    {"os", 'o', AT_KEY, 4, AT_KEY_CONTEXT},
    {"screen", 'o', AT_KEY, 6, AT_KEY_CONTEXT},
    {"width", 'v', AT_NUMBER, 6, AT_KEY_CONTEXT},
    {"height", 'v', AT_NUMBER, 6, AT_KEY_CONTEXT},
    {"density", 'v', AT_NUMBER, 6, AT_KEY_CONTEXT},
    {"innerWidth", 'v', AT_NUMBER, 6, AT_KEY_CONTEXT},
    {"innerHeight", 'v', AT_NUMBER, 6, AT_KEY_CONTEXT},
    {"network", 'o', AT_KEY, 4, AT_KEY_CONTEXT},
    {"bluetooth", 'v', AT_NUMBER, 4, AT_KEY_CONTEXT},
    {"carrier", 's', AT_TEXT, 4, AT_KEY_CONTEXT},
    {"cellular", 'v', AT_NUMBER, 4, AT_KEY_CONTEXT},
    {"wifi", 'v', AT_NUMBER, 4, AT_KEY_CONTEXT},
    {"location", 'o', AT_KEY, 3, AT_KEY_CONTEXT},
    {"latitude", 'v', AT_NUMBER, 3, AT_KEY_CONTEXT},
    {"longitude", 'v', AT_NUMBER, 3, AT_KEY_CONTEXT},
    {"ip", 's', AT_DIGIT, 7, AT_KEY_CONTEXT},
    {"active", 'v', AT_NUMBER, 3, AT_KEY_CONTEXT},
    {"direct", 'v', AT_NUMBER, 2, AT_KEY_CONTEXT},
    {"groupId", 's', AT_ID, 4, AT_KEY},
    {"previousId", 's', AT_ID, 3, AT_KEY},
    {"channel\":\"mobile", 'w', AT_DONE, 4, AT_KEY},
    {"channel\":\"android-sdk", 'w', AT_DONE, 4, AT_KEY},
    {"channel\":\"client", 'w', AT_DONE, 4, AT_KEY},
    {"channel", 's', AT_TEXT, 4, AT_KEY},
    {"receivedAt", 's', AT_STAMP, 5, AT_KEY},
    {"_metadata", 'o', AT_KEY, 4, AT_KEY},
    {"bundled", 'l', AT_TEXT, 4, AT_KEY},
    {"unbundled", 'l', AT_TEXT, 4, AT_KEY},
    {"bundledIds", 'l', AT_ID, 4, AT_KEY},
    {"integrations", 'o', AT_KEY, 5, AT_KEY},
    {"type\":\"screen", 'w', AT_DONE, 5, AT_KEY},
    {"type\":\"group", 'w', AT_DONE, 4, AT_KEY},
    {"type\":\"alias", 'w', AT_DONE, 4, AT_KEY},
    {"type", 's', AT_TEXT, 6, AT_KEY},
    {"userId\":null", 'w', AT_CLOSED, 6, AT_KEY},
    {"userId\":\"\"", 'w', AT_CLOSED, 6, AT_KEY},
    {"groupId\":null", 'w', AT_CLOSED, 3, AT_KEY},
    {"product_id", 'v', AT_NUMBER, 4, AT_KEY_DEAL},
    {"sku", 'v', AT_NUMBER, 3, AT_KEY_DEAL},
    {"price", 's', AT_DIGIT, 4, AT_KEY_DEAL},
    {"id", 'v', AT_NUMBER, 4, AT_KEY_CONTEXT},
    {"value", 's', AT_TEXT, 4, AT_KEY_DEAL},
    {"search", 'v', AT_NUMBER, 2, AT_KEY_CONTEXT},
    {"coupon", 'v', AT_NUMBER, 3, AT_KEY_DEAL},
    {"version", 'v', AT_NUMBER, 4, AT_KEY_CONTEXT},
    {"timestamp", 'v', AT_NUMBER, 4, AT_KEY},
    {"categories", 'l', AT_TEXT, 3, AT_KEY_DEAL},
    {"items", 'v', AT_NUMBER, 3, AT_KEY_DEAL},
    {"products", 'v', AT_NUMBER, 3, AT_KEY_DEAL},
    {"index", 'v', AT_NUMBER, 3, AT_KEY_DEAL},
    {"success", 'v', AT_NUMBER, 2, AT_KEY_CONTEXT},
    {"status", 's', AT_TEXT, 4, AT_KEY_CONTEXT},
    {"method", 's', AT_CODE, 4, AT_KEY_CONTEXT},
    {"text", 's', AT_TEXT, 3, AT_KEY_CONTEXT},
    {"code", 's', AT_ID, 4, AT_KEY_CONTEXT},
    {"language", 's', AT_CODE, 4, AT_KEY_CONTEXT},
    {"amount", 'v', AT_NUMBER, 4, AT_KEY_DEAL},
    {"width", 's', AT_DIGIT, 2, AT_KEY_CONTEXT},
    {"user_agent", 's', AT_AGENT, 4, AT_KEY_CONTEXT},
    {"projectId", 's', AT_ID, 4, AT_KEY},
    {"points", 'v', AT_NUMBER, 3, AT_KEY_DEAL},
    {"tags", 'l', AT_TEXT, 3, AT_KEY_DEAL},
    {"variant_id", 's', AT_ID, 3, AT_KEY_DEAL},
};
const size_t souk_pack_key_count = sizeof souk_pack_keys / sizeof *souk_pack_keys;

const souk_pack_list souk_pack_lists[] = {
    /* From the end of a value to the quote that opens the next key. */
    {"\",\"|\"},\"|\"},{\"|\"}],\"|\"],\"", KIND_JOIN, AT_KEY, 1},
    {"\"}},\"|\"}}},\"", KIND_JOIN, AT_KEY, 8},
    {",\"|},\"|{\"|},{\"|}],\"|],\"|[{\"|:{\"|\":{\"|\":[{\"", KIND_JOIN_VALUE, AT_KEY, 1},
    {"}},\"|}}},\"", KIND_JOIN_VALUE, AT_KEY, 8},
    {"\", \"|\"}, \"|\"}}, \"|\"}, {\"|\"}], \"|\"], \"", KIND_WIDE, AT_KEY, 1},
    {", \"|}, \"|}}, \"|}, {\"|}], \"|], \"", KIND_WIDE_VALUE, AT_KEY, 1},
    {"\":\"|\": \"", KIND_COLON, AT_TEXT, 2},
    {"\":|\": ", KIND_COLON, AT_NUMBER, 2},
    {"\":[\"|\": [\"", KIND_COLON, AT_TEXT, 2},
    {"\"}}|\"}|\"}}}|\"]}", KIND_TAIL, AT_CLOSED, 1},
    {"}}|}}}|]}}|}]}}|}]}|]}", KIND_TAIL_VALUE, AT_CLOSED, 1},
    {"\"\"|null|true|false|[]|{}|0.00", KIND_CONST, AT_CLOSED, 2},
    {".99|.00|.50|.95|.90|.49", KIND_CONST, AT_NUMERAL, 2},
    {"\\\"|\\n|\\/|\\u", KIND_MARK, AT_MARK, 30},

    {"Product Viewed|Product Added|Product List Viewed|Order Completed|Product Clicked|Cart Viewed|"
     "Checkout Started|Products Searched|Product Removed|Checkout Step Viewed|"
     "Checkout Step Completed|Payment Info Entered|Product List Filtered|Promotion Viewed|"
     "Promotion Clicked|Coupon Entered|Coupon Applied|Coupon Denied|Coupon Removed|"
     "Product Added to Wishlist|Product Removed from Wishlist|Wishlist Product Added to Cart|"
     "Product Shared|Cart Shared|Product Reviewed|Order Updated|Order Refunded|Order Cancelled|"
     "Store Entered|Store Left|Zone Entered|Zone Dwelled|Item Picked Up|Item Put Back|"
     "Completed Order|Viewed Product|Added Product|Removed Product|Viewed Product Category|"
     "Experiment Viewed|Signed Up|Signed In|Logged In|Page Viewed|Button Clicked|"
     "Application Opened|Application Installed|Application Updated|Application Backgrounded|"
     "Push Notification Received|Push Notification Tapped|Deep Link Opened|Install Attributed|"
     "Email Opened|Email Link Clicked|Email Delivered",
     KIND_CODE, AT_DONE, 6},
    {"USD|EUR|CNY|GBP|JPY|CAD|AUD|CHF|HKD|SGD|KRW|TWD|INR|BRL|MXN|SEK|NOK|DKK|PLN|CZK|HUF|TRY|ZAR|"
     "NZD|THB|MYR|IDR|PHP|VND|AED|SAR|ILS|RON|UAH|RUB|MOP|EGP",
     KIND_CODE, AT_DONE, 8},
    {"en-US|zh-CN|en-GB|de-DE|fr-FR|es-ES|it-IT|ja-JP|zh-TW|zh-HK|pt-BR|nl-NL|ko-KR|pl-PL|sv-SE|"
     "da-DK|nb-NO|fi-FI|tr-TR|ru-RU|cs-CZ|es-MX|en-CA|en-AU|fr-CA|pt-PT|de-AT|de-CH|en-IN|ar-SA|"
     "th-TH|vi-VN|id-ID|ms-MY|he-IL|uk-UA",
     KIND_CODE, AT_DONE, 8},
    {"UTC|Asia/Shanghai|America/New_York|Europe/London|Europe/Berlin|America/Los_Angeles|"
     "America/Chicago|Europe/Paris|Asia/Tokyo|Asia/Hong_Kong|Asia/Singapore|Europe/Madrid|"
     "Europe/Rome|Europe/Amsterdam|America/Toronto|America/Denver|America/Sao_Paulo|Asia/Taipei|"
     "Asia/Seoul|Asia/Kolkata|Asia/Calcutta|Australia/Sydney|Europe/Warsaw|Europe/Vienna|"
     "Europe/Zurich|Europe/Stockholm|Europe/Istanbul|Europe/Moscow|America/Mexico_City|"
     "Asia/Bangkok|Asia/Jakarta|Asia/Dubai|GMT+0800|GMT+0100|GMT+0200|GMT+0000|GMT-0500|GMT-0800",
     KIND_CODE, AT_DONE, 8},
    {"United States|China|Germany|"
     "France|United Kingdom|male|female|other|credit_card|paypal|alipay|wechat_pay|apple_pay|"
     "visa|mastercard|amex|klarna|gift_card|cash|card|Windows|macOS|Linux|Android|iOS|"
     "Credit Card|PayPal|Visa|Mastercard",
     KIND_CODE, AT_DONE, 12},
    {"analytics.js|analytics-python|analytics-php|analytics-ruby|analytics-go|analytics-java|"
     "analytics-ios|analytics-swift|analytics-android|analytics-kotlin|analytics-flutter|"
     "analytics-react-native|analytics-node|@segment/analytics-node|Analytics.NET|"
     "RudderLabs JavaScript SDK|@rudderstack/rudder-sdk-node|com.rudderstack.android.sdk.core|"
     "rudder-ios-library|rudder-analytics-python|unknown",
     KIND_CODE, AT_DONE, 6},
    {"\",\"version\":\"|\", \"version\": \"", KIND_COLON, AT_DIGIT, 4},

    {"ajs-next-|node-next-", KIND_PREFIX, AT_STAMP, 2},
    {"ORD-|SKU-|order-|cart-|user_|cus_|user-|cart_|order_|prod_|shop_|store-|store_|list_|P-|u_|c_"
     "|"
     "EAN|urn:epc:id:sgtin:|urn:epc:tag:sgtin-96:|ord_|chk_|cust_|sku_|usr_|-20|ORDER-|CART-|PROD-|"
     "co_|zone-|SAVE|WELCOME|anon_|anon-|shopper_|shopper-|+86|+1|+44|+49",
     KIND_PREFIX, AT_ID, 8},

    {"https://www.|https://|http://|www.|https://shop.|https://m.|https://cdn.|https://images.|"
     "https://store.|//",
     KIND_URL, AT_PATH, 4},
    {"/products/|/product/|/collections/|/category/|/cart|/checkout|/search|.com/|/en/|/zh/|.html|"
     ".jpg|.png|.webp|.com|.cn/|.cn|.de/|.co.uk/|.fr/|.net/|.org/|.io/|/p/|/c/|/de/|/account|"
     "/collections/all|/index.html|/order/|/orders/|/wishlist|/sale|/new|/women/|/men/|/kids/|"
     "/images/|/media/|/catalog/|/blog/|/pages/|/thank-you|/confirmation|/static/|/item/|/items/|"
     "/home|/shop/|/us/|/cn/|-p-|/brand/|/brands/",
     KIND_URL, AT_PATH, 8},
    {"?utm_source=|&utm_medium=|&utm_campaign=|&utm_content=|&utm_term=|?q=|?page=|?variant=|"
     "?gclid=|?fbclid=|?sku=|?id=|&page=|&sort=|?color=|?size=|&size=|&color=|&q=|?ref=|%20|%2F|%"
     "3A|"
     "google|facebook|instagram|baidu|bing|tiktok|newsletter|cpc|email|social|organic|spring|"
     "summer|autumn|winter|black_friday|https://www.google.com/|https://www.bing.com/|"
     "https://www.baidu.com/|https://www.facebook.com/|https://m.facebook.com/|$direct",
     KIND_URL, AT_PATH, 12},

    {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/|"
     "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
     "Chrome/|Mozilla/5.0 (iPhone; CPU iPhone OS |"
     " like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/|"
     " Mobile/15E148 Safari/604.1|.0.0.0 Safari/537.36|.0.0.0 Mobile Safari/537.36|"
     "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/|"
     "Mozilla/5.0 (Linux; Android |"
     "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/|"
     "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
     "Version/| Safari/605.1.15|.0.0.0 Safari/537.36 Edg/|.0.0.0|"
     "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:|"
     "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:|Mozilla/5.0 (X11; Linux x86_64; rv:|"
     ".0) Gecko/20100101 Firefox/|) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/|"
     ") AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/| Mobile Safari/537.36|"
     " Safari/537.36|; wv| Build/| like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/"
     "15E148| MicroMessenger/8.0.| NetType/WIFI Language/zh_CN| MMWEBID/| SamsungBrowser/| OPR/|"
     " CriOS/| FxiOS/| GSA/| Chrome/| Safari/| Version/|Mozilla/5.0 (| AppleWebKit/| Mobile/|"
     " (KHTML, like Gecko)|Macintosh; Intel Mac OS X |Windows NT 10.0; Win64; x64|iPad; CPU OS |"
     "; SM-|; Pixel |; HUAWEI|; MI |Mobile; rv:|Dalvik/2.1.0 (Linux; U; Android "
     "|okhttp/|CFNetwork/|"
     " Darwin/|python-requests/|curl/|node-fetch/|axios/|analytics-node-next/latest|Chromium|"
     "Google Chrome|Microsoft Edge|Not A(Brand|Not)A;Brand|Not/A)Brand|Not;A=Brand|Not.A/Brand|"
     "Not?A_Brand|Not(A:Brand|Not:A-Brand|Not_A Brand|Not A;Brand",
     KIND_AGENT, AT_AGENT, 4},
    {"\",\"version\":\"1|\"},{\"brand\":\"Chromium\",\"version\":\"1|"
     "\"},{\"brand\":\"Google Chrome\",\"version\":\"1|\",\"version\":\"24\"},{\"brand\":\"|"
     "\",\"version\":\"8\"},{\"brand\":\"|\",\"version\":\"99\"},{\"brand\":\"|\"},{\"brand\":\"",
     KIND_AGENT, AT_AGENT, 4},

    /* Words that open a name or stand in a title, each also with a space before it. */
    {"Black|White|Blue|Red|Green|Grey|Navy|Pink|Beige|Brown|Shirt|Dress|Jacket|Jeans|Shoes|Sneaker|"
     "Sneakers|Boots|Bag|Coat|Sweater|Hoodie|Pants|Shorts|Skirt|T-Shirt|Women|Men|Kids|Cotton|Wool|"
     "Leather|Linen|Silk|Denim|Classic|Slim|Fit|Running|Sport|Home|Shop|Store|Sale|New|Coffee|Tea|"
     "Milk|Bread|Organic|Fresh|Water|Chocolate|Juice|Cheese|Bottle|Pack|Set|Pro|Mini|Max|Plus|"
     "Large|"
     "Small|Medium|Standard|Express|Premium|Cart|Checkout|Product|Products|Order|Gift|Card|Watch|"
     "Phone|Case|Cable|Charger|Headphones|Speaker|Lamp|Chair|Table|Sofa|Desk|Bed|Pillow|Towel|"
     "Candle|"
     "Mug|Cup|Plate|Knife|Pan|Cream|Serum|Shampoo|Soap|Lipstick|Perfume|Clothing|Accessories|"
     "Electronics|Beauty|Grocery|Furniture|Kitchen|Garden|Toys|Books|Outdoor|Jewelry|Long|Sleeve|"
     "Short|Summer|Winter|Spring|Light|Dark|Steel|Wood|Glass|Ceramic|Gold|Silver|Rose|Orange|"
     "Yellow|"
     "Purple|Cream|Hat|Cap|Scarf|Socks|Belt|Gloves|Sunglasses|Backpack|Wallet|Ring|Necklace|"
     "Vintage|"
     "Wireless|Bluetooth|Portable|Smart|Digital|Natural|The|And|For|With|Online|Official|"
     "Collection|"
     "Edition|Street|Road|Avenue|North|South|West|East|City|Germany|London|Berlin|Paris|Shanghai|"
     "Beijing|Size|Color|Apple|Cherry|Lemon|Vanilla|Rice|Oil|Salt|Sugar|Honey|Beans|Pasta|Sauce|"
     "Soup|"
     "Chicken|Beef|Fish|Egg|Eggs|Wine|Beer|Free|Dog|Cat|Food|Baby|Girls|Boys|Apparel|Footwear|"
     "Welcome|Search|Results|Account|Login|Your|My|Our|All|Best|Gold|Silver|Bronze|Platinum",
     KIND_CAPWORD, AT_WORD, 40},
    {"the|and|ing|tion|for|with|of|to|in|shirt|dress|jacket|jeans|shoe|shoes|bag|coat|black|white|"
     "blue|red|green|grey|women|men|kids|"
     "sale|shop|store|home|product|products|order|search|example|gmail.com|mail|outlook.com|qq.com|"
     "163.com|hotmail.com|yahoo.com|collection|running|cotton|leather|organic|small|medium|large|"
     "size|color|gift|card|new|web|mobile|true|false|free|very|this|that|have|not|was|but|are|you|"
     "it|"
     "from|like|will|good|great|just|they|would|which|because|quality|recommend|price|delivery|"
     "ment|ness|able|com|net|coffee|tea|milk|bread|water|set|pack|light|summer|winter|spring|"
     "sweater|boots|hoodie|pants|shorts|skirt|sneaker|wool|linen|denim|classic|slim|case|cable|"
     "watch|phone|lamp|chair|table|bottle|kitchen|beauty|clothing|accessories|electronics|about|"
     "some|what|when|there|their|than|then|into|only|over|also|after|before|"
     "premium|standard|express|gold|silver|bronze|basic|marketing|analytics|necessary|functional",
     KIND_WORD, AT_WORD, 40},
    /* Pairs of letters, by how often English has them. */
    {"th|he|in|er|an|re|on|at|en|nd|ti|es|or|te|of|ed|is|it|al|ar|st|to|nt|ng|se|ha|as|ou|io|"
     "le|ve|co|me|de|hi|ri|ro|ic|ne|ea|ra|ce|li|ch|ll|be|ma|si|om|ur|la|el|ta|no|us|et|ho|tr|"
     "ec|so|pe|il|un|lo|ns|ca|ot|ge|ee|ow|ol|sh|ul|di|ss|rs|ac|ly|ni|am|ut|em|ai|ir|po|do|ad|"
     "wa|id|mo|fo|su|ct|ie|oo|tt|ke|pa|vi|tu|im|op|ts|pr|wi|ay|ag|mi|bo|da|lu|ev|ga|ck|ki|br|"
     "fi|pl|gr|cl|fr|sa|na|ry|ig|mp|ab|ci|av|uc|os|bu|tw|fe|bl|ap|up|cr|sp|rt|rd|rk|rn|ld|lt|"
     "if|ex|ey|nn|mm|pp|ff|sc|sk|sl|sw|mu|hu|ru|du|cu|ba|fa|ja|qu|ye|my|by|ue|ob|od|ov",
     KIND_PART, AT_LOWER, 40},
};
const size_t souk_pack_list_count = sizeof souk_pack_lists / sizeof *souk_pack_lists;

const char souk_pack_han[] =
    "的|装|新|款|女|男|色|大|小|上|中|白|黑|红|蓝|绿|衣|裤|鞋|包|裙|外|套|衫|短|长|袖|运|动|休|闲|"
    "棉|"
    "纯|春|夏|秋|冬|季|时|尚|经|典|简|约|高|低|腰|领|圆|牛|仔|羊|毛|绒|皮|真|丝|连|帽|卫|风|衬|恤|"
    "童|"
    "儿|水|油|米|面|奶|茶|咖|啡|果|鲜|肉|鸡|鱼|蛋|酒|糖|盐|箱|盒|瓶|装|克|升|斤|件|双|个|片|支|入|"
    "手|"
    "机|电|充|器|线|壳|膜|耳|无|蓝|牙|智|能|表|灯|桌|椅|床|柜|沙|发|家|用|厨|房|锅|杯|碗|刀|具|洗|"
    "护|"
    "液|霜|面|膜|口|香|美|妆|精|华|保|湿|防|晒|店|商|品|城|场|市|区|路|号|街|楼|东|南|西|北|京|海|"
    "广|"
    "州|深|圳|江|山|国|人|年|月|日|一|二|三|不|是|很|好|了|我|有|在|这|也|和|就|都|加|厚|薄|款|宽|"
    "松|"
    "修|身|百|搭|质|量|价|格|便|宜|快|递|送|货|服|务|态|度|喜|欢|买|穿|起|来|舒|适|合|适|码|尺|寸|"
    "颜|"
    "韩|版|日|系|欧|原|创|设|计|潮|流|旗|舰|官|方|正|生|活|食|零|饼|干|巧|克|力|坚|进|口|有|机|全|"
    "麦|"
    "包|王|李|张|刘|陈|杨|黄|赵|周|吴|明|华|伟|芳|丽|强|军|文|平|杰|连衣裙|牛仔裤|运动鞋|羽绒服|"
    "衬衫|"
    "外套|女装|男装|新款|首页|商品|订单|购物车|旗舰店|上海|北京|广州|深圳|杭州|成都";

const uint8_t souk_pack_letters[26] = {80, 20, 40, 38, 110, 20, 24, 28, 76, 4,  14, 46, 32,
                                       66, 74, 28, 4,  68,  66, 70, 32, 14, 14, 6,  20, 6};

/* Counted over invented events of every client (not the bench's), in the order of souk_pack_kind;
 * no chance is nothing. */
const uint16_t souk_pack_chances[AT_COUNT][KIND_COUNT] = {
    [AT_START] = {1, 1, 1, 1, 1, 1, 1, 1, 1000, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                  1, 1, 1, 1, 1, 1, 1, 1, 1,    1, 1, 1, 1, 1, 1, 1, 1, 1},
    [AT_KEY] = {1, 609, 100, 76, 9, 96, 27, 1, 73, 1, 1, 1, 1, 3, 1, 1, 1, 1, 1,
                1, 1,   1,   1,  1, 11, 1,  2, 1,  1, 1, 1, 1, 2, 1, 1, 1, 1},
    [AT_KEY_DEAL] = {78, 45, 640, 152, 3, 67, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 12,
                     1,  1,  1,   1,   1, 1,  1, 1, 1, 9, 1, 1, 3, 1, 1, 1, 1, 1},
    [AT_KEY_CONTEXT] = {233, 47, 40, 595, 27, 41, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 24,
                        1,   1,  1,  1,   1,  1,  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
    [AT_KEY_PERSON] = {281, 23, 55, 126, 513, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                       1,   1,  1,  1,   1,   1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
    [AT_ID] = {44, 1, 1, 1,   1, 1, 1, 7, 1, 1, 1,  1,   24, 1,   242, 1, 5, 39, 5,
               1,  1, 1, 116, 1, 1, 1, 1, 5, 7, 13, 265, 77, 161, 1,   1, 1, 1},
    [AT_STAMP] = {1, 1, 1, 1,   1, 1, 1, 1, 1, 1, 1, 1, 1,  1, 107, 451, 161, 56, 1,
                  1, 1, 1, 216, 1, 1, 1, 1, 1, 1, 1, 1, 15, 1, 1,   1,   1,   1},
    [AT_TEXT] = {1,  1,  1,  1, 1,  1, 5, 1,   1,  1,  1, 1, 1, 1,   1, 1, 1, 1, 19,
                 34, 81, 27, 1, 32, 1, 1, 293, 12, 57, 1, 3, 7, 438, 1, 3, 1, 1},
    [AT_CODE] = {1, 1, 1,   1, 1, 1, 1, 1,  1, 1,  1, 1, 1,  1,  1, 1, 1, 1, 6,
                 1, 1, 945, 1, 1, 1, 1, 10, 1, 10, 1, 1, 21, 13, 1, 1, 1, 1},
    [AT_URL] = {124, 1, 1, 1, 1,   1, 1, 71, 1, 1, 1, 1, 1, 1, 1, 1,  1, 1, 2,
                1,   1, 1, 1, 785, 1, 1, 1,  1, 1, 1, 1, 1, 1, 1, 24, 1, 1},
    [AT_PATH] = {142, 1, 1, 1, 1,   1, 60, 65, 1,  3,   1, 1,  8,  1, 1, 1,  1, 1, 143,
                 1,   1, 2, 1, 108, 1, 1,  1,  75, 295, 1, 39, 28, 1, 1, 43, 1, 1},
    [AT_AGENT] = {68, 1, 1, 1, 1, 1,   1, 103, 1, 1, 1, 19,  1, 1, 1, 1,  1, 1, 29,
                  1,  1, 1, 1, 1, 420, 1, 1,   1, 1, 1, 350, 1, 1, 1, 17, 1, 1},
    [AT_NUMBER] = {1, 1, 1, 1, 1, 1, 1,  1, 1, 1, 1,   1,   1, 1, 1, 1, 35, 1, 24,
                   1, 1, 1, 1, 1, 1, 49, 1, 1, 1, 329, 562, 1, 1, 1, 8, 1,  1},
    [AT_NUMERAL] = {303, 1, 1, 1, 1, 1, 1,  2, 185, 1, 14,  1,  1, 16, 1, 1,  1, 1, 1,
                    1,   1, 1, 1, 1, 1, 92, 1, 1,   1, 244, 65, 1, 1,  1, 88, 1, 1},
    [AT_LOWER] = {53, 1, 1, 1, 1,  1, 7, 34, 1,  7,   1,  2,  2,   1,  1,  1,  1, 1, 1,
                  1,  1, 1, 1, 54, 3, 1, 12, 19, 377, 11, 14, 238, 29, 58, 92, 1, 1},
    [AT_WORD] = {170, 1, 1, 1, 1,  1, 4, 118, 1,  10,  1, 30, 3,   1, 1,  1,   1, 1, 1,
                 1,   1, 1, 1, 70, 1, 1, 43,  68, 127, 1, 3,  169, 1, 56, 140, 1, 1},
    [AT_UPPER] = {54, 1, 1, 1, 1, 1, 1, 14, 1,  1,   1,  1,  1,   1,   1, 1,  1, 1, 1,
                  1,  1, 1, 1, 1, 3, 1, 2,  27, 251, 33, 90, 197, 271, 1, 66, 1, 1},
    [AT_DIGIT] = {160, 1, 1, 1, 1, 1,  1, 65, 3, 10, 1,   1,   1,  1,  1, 1,   1, 1, 1,
                  1,   1, 1, 1, 2, 45, 2, 1,  1, 2,  168, 352, 16, 14, 2, 170, 1, 1},
    [AT_SPACE] = {1, 1,   1, 1, 1, 1, 1, 1, 1, 1,  1, 1,  1, 1,   1, 1,   1, 1, 19,
                  1, 100, 1, 1, 1, 1, 1, 2, 1, 38, 5, 36, 7, 478, 1, 324, 1, 1},
    [AT_MARK] = {14, 1, 3, 6, 1,  1, 46, 2,  1,  1,   1,   1,   1,  1,  56, 1,  2, 1, 34,
                 1,  2, 2, 1, 19, 1, 1,  66, 46, 123, 276, 139, 17, 58, 47, 56, 1, 1},
    [AT_HIGH] = {6,   6,   6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6,  6, 6,   6, 6,
                 159, 120, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 11, 6, 540, 6},
    [AT_HAN] = {138, 1,   1, 1, 1, 1, 1, 56, 1, 2, 1, 1,  1, 1, 1,  1, 1, 1, 1,
                210, 473, 1, 1, 1, 1, 1, 1,  1, 1, 1, 24, 1, 1, 94, 6, 4, 1},
    [AT_DONE] = {434, 1, 1, 1, 1, 1, 1, 427, 1, 32, 1, 11, 99, 1, 1, 1, 1, 1, 1,
                 1,   1, 1, 1, 1, 1, 1, 1,   1, 4,  1, 1,  1,  1, 1, 1, 1, 1},
    [AT_CLOSED] = {278, 1, 1, 1, 1, 1, 1, 1, 560, 1, 107, 1, 1, 59, 1, 1, 1, 1, 1,
                   1,   1, 1, 1, 1, 1, 1, 1, 1,   1, 1,   1, 1, 1,  1, 1, 1, 1},
};
