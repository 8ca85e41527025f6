/* A crew: threads and the queue of jobs between them. */
#include "keyring/crew.h"

#include "base/memory.h"
#include "base/thread.h"

struct sr_crew {
	struct sr_mutex mutex; /* guards what follows but the threads */
	struct sr_cond changed;
	struct sr_crew_job *first, *last;
	bool is_closed;
	unsigned thread_count;
	struct sr_thread *threads;
};

static void crew_main(void *context)
{
	struct sr_crew *crew = context;
	sr_mutex_lock(&crew->mutex);
	for (;;) {
		while (!crew->first && !crew->is_closed) {
			sr_cond_wait(&crew->changed, &crew->mutex);
		}
		struct sr_crew_job *job = crew->first;
		if (!job) {
			break;
		}
		crew->first = job->next;
		sr_mutex_unlock(&crew->mutex);
		job->next = NULL;
		job->run(job);
		sr_mutex_lock(&crew->mutex);
	}
	sr_mutex_unlock(&crew->mutex);
}

struct sr_result sr_crew_start(const char *name, unsigned thread_count, struct sr_crew **ret_crew)
{
	struct sr_crew *crew = sr_alloc(sizeof *crew);
	sr_mutex_init(&crew->mutex, SR_RANK_LEAF);
	sr_cond_init(&crew->changed);
	crew->threads = sr_alloc_array(thread_count, sizeof *crew->threads);
	for (; crew->thread_count < thread_count; crew->thread_count++) {
		struct sr_result started = sr_thread_start(name, 0, crew_main, crew, &crew->threads[crew->thread_count]);
		if (!sr_is_ok(started)) {
			sr_crew_close(crew);
			sr_crew_free(crew);
			return started;
		}
	}
	*ret_crew = crew;
	return sr_ok();
}

bool sr_crew_post(struct sr_crew *crew, struct sr_crew_job *job)
{
	SR_LOCKED(&crew->mutex);
	if (crew->is_closed) {
		return false;
	}
	job->next = NULL;
	if (crew->first) {
		crew->last->next = job;
	} else {
		crew->first = job;
	}
	crew->last = job;
	sr_cond_signal(&crew->changed);
	return true;
}

void sr_crew_close(struct sr_crew *crew)
{
	sr_mutex_lock(&crew->mutex);
	crew->is_closed = true;
	sr_cond_broadcast(&crew->changed);
	sr_mutex_unlock(&crew->mutex);
	for (unsigned i = 0; i < crew->thread_count; i++) {
		sr_thread_join(crew->threads[i]);
	}
	crew->thread_count = 0;
}

void sr_crew_free(struct sr_crew *crew)
{
	if (!crew) {
		return;
	}
	sr_cond_destroy(&crew->changed);
	sr_mutex_destroy(&crew->mutex);
	sr_free(crew->threads);
	sr_free(crew);
}
