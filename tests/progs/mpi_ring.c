/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An MPI program that needs every rank: a token goes round the ring, each adds one to it; then all
 * add up their ranks. Built by the test with each MPI's own compiler. With an argument the last
 * rank gives up with that status in the middle of it.
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int ring(int rank, int size)
{
    int token = 0;

    if (rank > 0)
        MPI_Recv(&token, 1, MPI_INT, rank - 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    token++;
    MPI_Send(&token, 1, MPI_INT, (rank + 1) % size, 0, MPI_COMM_WORLD);
    if (rank == 0)
        MPI_Recv(&token, 1, MPI_INT, size - 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    return token;
}

/* Every rank with every other, both ways. */
static void meet(int rank, int size)
{
    for (int step = 1; step < size; step++) {
        int token = rank;

        MPI_Sendrecv_replace(&token, 1, MPI_INT, (rank + step) % size, 1,
                             (rank + size - step) % size, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
}

int main(int argc, char **argv)
{
    char name[MPI_MAX_PROCESSOR_NAME];
    int rank, size, len, token, sum;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Get_processor_name(name, &len);
    token = ring(rank, size);
    if (argc > 1 && rank == size - 1)
        MPI_Abort(MPI_COMM_WORLD, atoi(argv[1]));
    if (argc > 1)
        sleep(60);
    MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    printf("%s: rank %d of %d, sum %d%s\n", name, rank, size, sum,
           rank == 0 && token == size ? ", ring closed" : "");
    fflush(stdout);
    /*
     * MPICH 4.0 over TCP waits for ever in MPI_Finalize, whatever launched it, if a rank is through
     * while another has not sent it its last word. So all have had to do with all, which makes each
     * wait for all, and nobody answers before he gets there, out of a sleep.
     */
    meet(rank, size);
    MPI_Barrier(MPI_COMM_WORLD);
    sleep(1);
    MPI_Finalize();
    return 0;
}
