#include "vectors.h"
#include "passes.h"
#include "products.h"
