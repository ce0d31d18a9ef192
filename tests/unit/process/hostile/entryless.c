/* A shared object that is no provider. */
int nothing_to_see_here;
