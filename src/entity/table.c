#include "entity/table.h"

#include "base/must.h"

#define PLAIN(name) { name, FIELD_PLAIN, false, NULL }
#define TEXT(name) { name, FIELD_TEXT, false, NULL }
#define TEXT_ALWAYS(name) { name, FIELD_TEXT, true, NULL }
#define LIST(name) { name, FIELD_ITEMS, false, NULL }
#define LIST_ALWAYS(name) { name, FIELD_ITEMS, true, NULL }
#define END { NULL, FIELD_PLAIN, false, NULL }

static const struct field exception[] = { TEXT("condition"), TEXT("action"), END };

static const struct field content[] = {
    TEXT_ALWAYS("summary"), TEXT("description"), LIST_ALWAYS("steps"), TEXT("purpose"), TEXT("business_context"),
    LIST("inputs"), LIST("outputs"), LIST_ALWAYS("prerequisites"), LIST_ALWAYS("success_criteria"),
    TEXT("regulatory_context"), { "exceptions", FIELD_ITEMS, false, exception }, LIST("requirements"),
        LIST("risks"), END,
};

static const struct field atom[] = {
    PLAIN("id"), PLAIN("category"), PLAIN("type"), TEXT_ALWAYS("name"), PLAIN("version"), PLAIN("status"),
    PLAIN("owner"), PLAIN("team"), PLAIN("ontologyDomain"), PLAIN("criticality"), PLAIN("phaseId"), PLAIN("moduleId"),
    { "content", FIELD_MAP, false, content },
    { "edges", FIELD_EDGES, true, NULL },
    { "metrics", FIELD_VALUES, false, NULL },
    END,
};

static const struct field module[] = {
    PLAIN("id"), PLAIN("version"), PLAIN("workflow_type"), PLAIN("type"), PLAIN("module_id"), TEXT_ALWAYS("name"),
    TEXT("description"), PLAIN("owner"), PLAIN("status"), PLAIN("criticality"), PLAIN("steward"),
    { "atoms", FIELD_KEYS, true, NULL },
    PLAIN("phaseId"),
    { "metadata", FIELD_VALUES, false, NULL },
    { "tags", FIELD_KEYS, false, NULL },
    END,
};

static const struct field phase[] = {
    PLAIN("id"), TEXT_ALWAYS("name"), TEXT("description"),
    { "modules", FIELD_KEYS, true, NULL },
    PLAIN("journeyId"), PLAIN("targetDurationDays"), PLAIN("sequence"), LIST("entry_criteria"), LIST("exit_criteria"),
    PLAIN("sla_hours"), PLAIN("owner"), END,
};

static const struct field journey[] = {
    PLAIN("id"), TEXT_ALWAYS("name"), TEXT("description"), PLAIN("owner"),
    { "phases", FIELD_KEYS, true, NULL },
    PLAIN("journey_type"), PLAIN("product_type"), PLAIN("target_duration_days"), END,
};

static const struct field workflow[] = {
    PLAIN("id"), TEXT_ALWAYS("name"), PLAIN("version"), TEXT("description"), PLAIN("start_step_id"),
    { "roles", FIELD_KEYS, false, NULL },
    END,
};

static const struct field atom_roots[] = { { "atom", FIELD_MAP, true, atom }, END };
static const struct field module_roots[] = { { "module", FIELD_MAP, true, module }, END };
static const struct field phase_roots[] = { { "phase", FIELD_MAP, true, phase }, END };
static const struct field journey_roots[] = { { "journey", FIELD_MAP, true, journey }, END };
static const struct field workflow_roots[] = {
    { "workflow", FIELD_MAP, true, workflow },
    { "nodes", FIELD_RECORDS, true, NULL },
    { "edges", FIELD_RECORDS, true, NULL },
    END,
};

static const struct shape shapes[] = {
    [KIND_ATOM] = { atom_roots }, [KIND_MODULE] = { module_roots }, [KIND_PHASE] = { phase_roots },
    [KIND_JOURNEY] = { journey_roots }, [KIND_WORKFLOW] = { workflow_roots },
};

const struct shape *shape_of(enum kind kind) {
    must(kind_has_file(kind));
    return &shapes[kind];
}

const struct field *field_find(const struct field *fields, struct slice key) {
    for (; fields && fields->key; fields++)
        if (slice_is(key, fields->key)) return fields;
    return NULL;
}
