/* difference(): [1, -1] over a row of eight pixels, by the core of the installed corr. */
#include <Python.h>

#include "corr_import.h"

static PyObject *difference(PyObject *self, PyObject *args) {
    const corr_api *core = corr_import();
    if (!core)
        return NULL;
    float x[8] = {1, 2, 4, 8, 16, 32, 64, 128}, w[2] = {-1, 1}, y[7];
    corr_problem problem = {.dtype = CORR_F32, .n = 1, .groups = 1, .ic = 1, .oc = 1};
    problem.h = (corr_axis){.in = 1, .out = 1, .kernel = 1, .stride = 1, .dilation = 1};
    problem.w = (corr_axis){.in = 8, .out = 7, .kernel = 2, .stride = 1, .dilation = 1};
    problem.x_stride[3] = 8, problem.w_stride[3] = 2, problem.y_stride[3] = 7;
    problem.x_stride[4] = problem.w_stride[4] = problem.y_stride[4] = 1;
    corr_call call = {.threads = core->get_num_threads()};
    corr_status status = core->problem_check(&problem);
    if (status == CORR_OK)
        status = core->forward(&problem, x, w, NULL, y, &call);
    if (status != CORR_OK)
        return PyErr_Format(PyExc_RuntimeError, "status %d", (int)status);
    PyObject *list = PyList_New(7);
    for (int i = 0; list && i < 7; i++)
        PyList_SET_ITEM(list, i, PyFloat_FromDouble(y[i]));
    (void)self, (void)args;
    return list;
}

static PyMethodDef methods[] = {{"difference", difference, METH_NOARGS, NULL}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "plain_c", NULL, -1, methods};

PyMODINIT_FUNC PyInit_plain_c(void) { return PyModule_Create(&module); }
