/* poslog_names.c - the table of poslog_names.h: versions 2.2 to 6 side by side. */
#include "service/collect/poslog_names.h"

#include <stddef.h>

#define SALE_FIELD(name) SALE, offsetof(struct poslog_sale, name)
#define LINE_FIELD(name) LINE, offsetof(struct poslog_line, name)
#define PAID_FIELD(name) PAID, offsetof(struct poslog_tender, name)

static const struct poslog_row rows[] = {
    {DOCUMENT, "POSLog", POSLOG, NOBODY, 0},
    {DOCUMENT, "Transaction", TRANSACTION, NOBODY, 0},
    {POSLOG, "Transaction", TRANSACTION, NOBODY, 0},
    {POSLOG, "Body", POSLOG, NOBODY, 0},
    {TRANSACTION, "RetailStoreID", LEAF, SALE_FIELD(store)},
    {TRANSACTION, "BusinessUnit", UNIT, NOBODY, 0},
    {UNIT, "UnitID", LEAF, SALE_FIELD(unit)},
    {TRANSACTION, "WorkstationID", LEAF, SALE_FIELD(workstation)},
    {TRANSACTION, "TillID", LEAF, SALE_FIELD(till)},
    {TRANSACTION, "SequenceNumber", LEAF, SALE_FIELD(sequence)},
    {TRANSACTION, "BusinessDayDate", LEAF, SALE_FIELD(day)},
    {TRANSACTION, "BeginDateTime", LEAF, SALE_FIELD(begin)},
    {TRANSACTION, "EndDateTime", LEAF, SALE_FIELD(end)},
    {TRANSACTION, "OperatorID", LEAF, SALE_FIELD(operator_id)},
    {TRANSACTION, "CurrencyCode", LEAF, SALE_FIELD(currency)},
    {TRANSACTION, "ReceiptNumber", LEAF, SALE_FIELD(receipt_number)},
    {TRANSACTION, "ReceiptDateTime", LEAF, SALE_FIELD(receipt_time)},
    {TRANSACTION, "RetailTransaction", RETAIL, NOBODY, 0},
    {TRANSACTION, "PostVoidTransaction", POST_VOID, NOBODY, 0},
    {TRANSACTION, "PostVoid", POST_VOID, NOBODY, 0},
    {TRANSACTION, "TransactionLink", LINK, NOBODY, 0},
    {TRANSACTION, "Customer", CUSTOMER, NOBODY, 0},
    {TRANSACTION, "LoyaltyAccount", CUSTOMER, NOBODY, 0},
    {RETAIL, "ReceiptNumber", LEAF, SALE_FIELD(receipt_number)},
    {RETAIL, "ReceiptDateTime", LEAF, SALE_FIELD(receipt_time)},
    {RETAIL, "CurrencyCode", LEAF, SALE_FIELD(currency)},
    {RETAIL, "LineItem", LINE_ITEM, NOBODY, 0},
    {RETAIL, "Total", TOTAL, NOBODY, 0},
    {RETAIL, "PostVoid", POST_VOID, NOBODY, 0},
    {RETAIL, "TransactionLink", LINK, NOBODY, 0},
    {RETAIL, "Customer", CUSTOMER, NOBODY, 0},
    {RETAIL, "LoyaltyAccount", CUSTOMER, NOBODY, 0},
    {RETAIL, "LoyaltyMembership", CUSTOMER, NOBODY, 0},
    {POST_VOID, "TransactionLink", LINK, NOBODY, 0},
    {LINE_ITEM, "SequenceNumber", LEAF, LINE_FIELD(number)},
    {LINE_ITEM, "EntryMethod", LEAF, LINE_FIELD(entry_method)},
    {LINE_ITEM, "Sale", ITEM, NOBODY, 0},
    {LINE_ITEM, "Return", ITEM, NOBODY, 0},
    {LINE_ITEM, "Tender", TENDER, NOBODY, 0},
    {LINE_ITEM, "Tax", TAX, NOBODY, 0},
    {LINE_ITEM, "Customer", CUSTOMER, NOBODY, 0},
    {LINE_ITEM, "LoyaltyAccount", CUSTOMER, NOBODY, 0},
    {LINE_ITEM, "LoyaltyMembership", CUSTOMER, NOBODY, 0},
    {ITEM, "ItemID", LEAF, LINE_FIELD(item_id)},
    {ITEM, "POSIdentity", POS_IDENTITY, NOBODY, 0},
    {POS_IDENTITY, "POSItemID", LEAF, LINE_FIELD(pos_id)},
    {ITEM, "MerchandiseHierarchy", LEAF, LINE_FIELD(category)},
    {ITEM, "Description", LEAF, LINE_FIELD(description)},
    {ITEM, "RegularSalesUnitPrice", LEAF, LINE_FIELD(regular_price)},
    {ITEM, "ActualSalesUnitPrice", LEAF, LINE_FIELD(price)},
    {ITEM, "ExtendedAmount", LEAF, LINE_FIELD(amount)},
    {ITEM, "Quantity", LEAF, LINE_FIELD(quantity)},
    {ITEM, "SerialNumber", LEAF, LINE_FIELD(serial)},
    {ITEM, "TransactionLink", LINK, NOBODY, 0},
    {TENDER, "TenderID", LEAF, PAID_FIELD(id)},
    {TENDER, "Amount", LEAF, PAID_FIELD(amount)},
    {TENDER, "TenderChange", TENDER_CHANGE, NOBODY, 0},
    {TENDER_CHANGE, "Amount", LEAF, PAID_FIELD(change)},
    {TENDER, "CreditDebit", CREDIT, NOBODY, 0},
    {TAX, "Amount", LEAF, NOBODY, 0},
    {LINK, "RetailStoreID", LEAF, SALE_FIELD(link.store)},
    {LINK, "BusinessUnit", LINK_UNIT, NOBODY, 0},
    {LINK_UNIT, "UnitID", LEAF, SALE_FIELD(link.unit)},
    {LINK, "WorkstationID", LEAF, SALE_FIELD(link.workstation)},
    {LINK, "SequenceNumber", LEAF, SALE_FIELD(link.sequence)},
    {LINK, "BusinessDayDate", LEAF, SALE_FIELD(link.day)},
    {CUSTOMER, "CustomerID", CARD, NOBODY, 0},
    {CUSTOMER, "LoyaltyAccountID", CARD, NOBODY, 0},
    {CUSTOMER, "LoyaltyID", CARD, NOBODY, 0},
    {CUSTOMER, "MembershipID", CARD, NOBODY, 0},
    {CUSTOMER, "MemberID", CARD, NOBODY, 0},
    {CUSTOMER, "eMail", EMAIL, NOBODY, 0},
    {CUSTOMER, "EMail", EMAIL, NOBODY, 0},
    {CUSTOMER, "Email", EMAIL, NOBODY, 0},
    {CUSTOMER, "EMailAddress", EMAIL, NOBODY, 0},
    {CUSTOMER, "EmailAddress", EMAIL, NOBODY, 0},
    {CUSTOMER, "TelephoneNumber", PHONE, NOBODY, 0},
    {CUSTOMER, "FullTelephoneNumber", PHONE, NOBODY, 0},
    {CUSTOMER, "PhoneNumber", PHONE, NOBODY, 0},
};

/* Within a customer any element may hold what is sought. */
const struct poslog_row *poslog_row_find(const struct poslog_row *parent, const char *name,
                                         bool is_home)
{
    static const struct poslog_row within = {CUSTOMER, "", CUSTOMER, NOBODY, 0};
    enum node node = parent ? parent->node : DOCUMENT;
    if (node == CARD || node == EMAIL || node == PHONE)
        node = CUSTOMER;
    bool is_loyalty =
        !strcmp(name, "LoyaltyMembership") ||
        (node == CUSTOMER && (!strcmp(name, "LoyaltyID") || !strcmp(name, "MembershipID")));
    if (!is_home && !is_loyalty)
        return NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].parent == node && !strcmp(rows[i].name, name))
            return &rows[i];
    return node == CUSTOMER && is_home ? &within : NULL;
}
