/* The installed corr's core, for other extension modules (Python.h comes first).
 *
 *     const corr_api *core = corr_import();
 *     if (!core)
 *         return NULL; // an exception is set
 *     status = core->forward(&problem, x, w, NULL, y, &call);
 */
#ifndef CORR_IMPORT_H
#define CORR_IMPORT_H

#include <Python.h>

#include "corr.h"

static inline const corr_api *corr_import(void) {
    const corr_api *api = (const corr_api *)PyCapsule_Import("corr._core._C_API", 0);
    if (api && (api->version != CORR_API_VERSION || api->bytes < sizeof(corr_api))) {
        PyErr_Format(PyExc_ImportError,
                     "the module was built for another corr: its C API is version %d of %d "
                     "bytes, the one installed is version %d of %d",
                     CORR_API_VERSION, (int)sizeof(corr_api), api->version, (int)api->bytes);
        return NULL;
    }
    return api;
}

#endif
