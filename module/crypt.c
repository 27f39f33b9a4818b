// SPDX-License-Identifier: GPL-2.0-only
/*
 * Encryption of evicted pages: AES-256-XTS, the place as the tweak, with a key
 * that is made for the space, is nowhere but in the cipher's own memory, and is
 * wiped there when the space dies.
 *
 * A page is encrypted on its way out, into a bounce page: the frame keeps the
 * plain text, as it stays where it is if the write fails. It is decrypted in
 * place on its way in, before anybody sees the frame.
 *
 * Two rules make that safe:
 *
 *  - The key changes only while the space holds no place. A place is counted
 *    before the store is asked for it and until it was given back, and pages on
 *    their way out or in have one, so whoever has such a page may use the key
 *    without a lock.
 *
 *  - Write-out needs memory where there may be none. Bounce pages come from a
 *    pool that all spaces share, as many as the largest batch has: one batch at
 *    a time may wait for that pool, and holds no page that it did not get while
 *    it had its turn; all others that hold pages wait for their I/O alone.
 */
#include <crypto/skcipher.h>
#include <linux/mempool.h>
#include <linux/random.h>
#include <linux/scatterlist.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "cow.h"
#include "crypt.h"

#define CIPHER		"xts(aes)"
#define KEY_BYTES	64		/* two keys of AES-256 */
#define TWEAK_BYTES	16

/**
 * struct vmd_crypt - a space's key
 * @ref: spaces that have it: one, or kin (cow.h)
 * @tfm: the cipher with the key in it
 * @requests: struct crypt_request; there is always one to be had
 */
struct vmd_crypt {
	struct kref ref;
	struct crypto_skcipher *tfm;
	mempool_t *requests;
};

/*
 * A request to the cipher. Behind it is the struct skcipher_request, then the
 * cipher's own part of that, then the tweak, aligned as the cipher wants it:
 * it would allocate memory for another copy otherwise.
 */
struct crypt_request {
	struct crypto_wait wait;
	struct scatterlist from;
	struct scatterlist to;
	u8 *tweak;
} __aligned(CRYPTO_MINALIGN);

static DEFINE_SPINLOCK(bounce_lock);	/* the pool comes and goes */
static mempool_t *bounce_pool;
static u32 bounce_users;
static DEFINE_MUTEX(bounce_turn);	/* who may wait for the pool */

/* No lock is held while memory is allocated: it is taken in write-out, too. */
static int bounce_use(void)
{
	mempool_t *pool = mempool_create_page_pool(VMD_BATCH_MAX, 0);

	if (!pool)
		return -ENOMEM;
	spin_lock(&bounce_lock);
	if (!bounce_users++)
		swap(bounce_pool, pool);
	spin_unlock(&bounce_lock);
	mempool_destroy(pool);
	return 0;
}

static void bounce_unuse(void)
{
	mempool_t *pool = NULL;

	spin_lock(&bounce_lock);
	if (!--bounce_users)
		swap(bounce_pool, pool);
	spin_unlock(&bounce_lock);
	mempool_destroy(pool);
}

static bool bounce_try(struct page **pages, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		pages[i] = mempool_alloc(bounce_pool, GFP_NOWAIT | __GFP_NOWARN);
		if (!pages[i])
			break;
	}
	if (i == nr)
		return true;
	while (i--)
		mempool_free(pages[i], bounce_pool);
	return false;
}

/* One by one, as they come back. Returns how many; fewer if we are killed. */
static u32 bounce_gather(struct page **pages, u32 nr)
{
	u32 i = 0;

	while (i < nr) {
		/* It would wait where no signal reaches it. */
		pages[i] = mempool_alloc(bounce_pool, GFP_NOWAIT | __GFP_NOWARN);
		if (pages[i]) {
			i++;
			continue;
		}
		/* A wake-up that comes late, of a lock's, is no signal. */
		schedule_timeout_killable(1);
		if (fatal_signal_pending(current))
			break;
	}
	return i;
}

/*
 * @nr is at most VMD_BATCH_MAX, what the pool has. Returns 0 or -EINTR: what the
 * pool had may be in the hands of a medium that hangs.
 */
static int bounce_get(struct page **pages, u32 nr)
{
	u32 i;

	if (bounce_try(pages, nr))
		return 0;
	if (mutex_lock_killable(&bounce_turn))
		return -EINTR;
	i = bounce_gather(pages, nr);
	mutex_unlock(&bounce_turn);
	if (i == nr)
		return 0;
	while (i--)
		mempool_free(pages[i], bounce_pool);
	return -EINTR;
}

static int crypt_set_key(struct vmd_crypt *crypt)
{
	u8 key[KEY_BYTES];
	int err;

	/* XTS is none if both halves are the same. */
	do {
		err = get_random_bytes_wait(key, sizeof(key));
	} while (!err && !memcmp(key, key + KEY_BYTES / 2, KEY_BYTES / 2));
	if (!err)
		err = crypto_skcipher_setkey(crypt->tfm, key, sizeof(key));
	memzero_explicit(key, sizeof(key));
	return err == -ERESTARTSYS ? -EINTR : err;
}

static size_t crypt_request_bytes(struct crypto_skcipher *tfm)
{
	return sizeof(struct crypt_request) + sizeof(struct skcipher_request) +
	       crypto_skcipher_reqsize(tfm) + crypto_skcipher_alignmask(tfm) +
	       TWEAK_BYTES;
}

/*
 * One that needs no memory to encrypt. It may be one that can finish later: the
 * vector instructions' is, in 6.1 and 6.12, though it never does so for us.
 */
static int crypt_init(struct vmd_crypt *crypt)
{
	size_t bytes;
	int err;

	crypt->tfm = crypto_alloc_skcipher(CIPHER, 0,
					   CRYPTO_ALG_ALLOCATES_MEMORY);
	if (IS_ERR(crypt->tfm)) {
		err = PTR_ERR(crypt->tfm);
		crypt->tfm = NULL;
		/* There is none, or none that passed its tests. */
		return err == -ENOENT || err == -ELIBBAD ? -EOPNOTSUPP : err;
	}
	bytes = crypt_request_bytes(crypt->tfm);
	crypt->requests = mempool_create_kmalloc_pool(1, bytes);
	return crypt->requests ? crypt_set_key(crypt) : -ENOMEM;
}

static void crypt_destroy(struct vmd_crypt *crypt)
{
	/* The cipher wipes the memory that it had the key in. */
	if (crypt->tfm)
		crypto_free_skcipher(crypt->tfm);
	mempool_destroy(crypt->requests);
	kfree(crypt);
}

/**
 * vmd_crypt_alloc - make a key
 *
 * Loads the cipher's module if need be. Returns it or -EOPNOTSUPP if the kernel
 * does not have the cipher, -ENOMEM, -EINTR.
 */
struct vmd_crypt *vmd_crypt_alloc(void)
{
	struct vmd_crypt *crypt = kzalloc(sizeof(*crypt), GFP_KERNEL_ACCOUNT);
	int err;

	if (!crypt)
		return ERR_PTR(-ENOMEM);
	kref_init(&crypt->ref);
	err = crypt_init(crypt);
	if (!err)
		err = bounce_use();
	if (!err)
		return crypt;
	crypt_destroy(crypt);
	return ERR_PTR(err);
}

/**
 * vmd_crypt_get - one more space has the key
 * @crypt: the key, or NULL
 */
struct vmd_crypt *vmd_crypt_get(struct vmd_crypt *crypt)
{
	if (crypt)
		kref_get(&crypt->ref);
	return crypt;
}

static void crypt_release(struct kref *ref)
{
	crypt_destroy(container_of(ref, struct vmd_crypt, ref));
	bounce_unuse();
}

/**
 * vmd_crypt_free - forget a key, unless another space has it
 * @crypt: the key; nothing if NULL or an error
 */
void vmd_crypt_free(struct vmd_crypt *crypt)
{
	if (!IS_ERR_OR_NULL(crypt))
		kref_put(&crypt->ref, crypt_release);
}

/**
 * vmd_crypt_switch - give a space another key, or none
 * @space: which
 * @crypt: the key, or NULL for none; then what it had before
 *
 * Returns 0 or -EBUSY if the space holds a place, or its kin have the key:
 * nothing has changed then.
 */
int vmd_crypt_switch(struct vmd_space *space, struct vmd_crypt **crypt)
{
	int err = 0;

	spin_lock(&space->places_lock);
	if (space->places || vmd_cow_forked(space))
		err = -EBUSY;
	else
		swap(space->crypt, *crypt);
	spin_unlock(&space->places_lock);
	return err;
}

/**
 * vmd_places_hold - places are about to be asked for
 * @space: by which; from now on its key does not change
 * @nr: how many
 */
void vmd_places_hold(struct vmd_space *space, u32 nr)
{
	if (!nr || !space->store->ops->encrypts)
		return;
	spin_lock(&space->places_lock);
	space->places += nr;
	spin_unlock(&space->places_lock);
}

/**
 * vmd_places_let_go - places were not got after all, or given back
 * @space: by which
 * @nr: how many
 */
void vmd_places_let_go(struct vmd_space *space, u32 nr)
{
	if (!nr || !space->store->ops->encrypts)
		return;
	spin_lock(&space->places_lock);
	WARN_ON_ONCE(space->places < nr);
	space->places -= nr;
	spin_unlock(&space->places_lock);
}

/**
 * vmd_place_free - give a place back
 * @space: which has it; its page is neither on its way in nor out
 * @place: which
 */
void vmd_place_free(struct vmd_space *space, u32 place)
{
	if (likely(!space->group) || !vmd_cow_place_put(space->group, place))
		space->store->ops->free(space->store, place, 1);
	vmd_places_let_go(space, 1);
}

/* Does not fail: one is left, and it comes back without waiting for others. */
static struct skcipher_request *crypt_begin(struct vmd_crypt *crypt)
{
	struct crypt_request *r = mempool_alloc(crypt->requests, GFP_NOIO);
	struct skcipher_request *req = (struct skcipher_request *)(r + 1);
	struct crypto_skcipher *tfm = crypt->tfm;

	sg_init_table(&r->from, 1);
	sg_init_table(&r->to, 1);
	crypto_init_wait(&r->wait);
	r->tweak = PTR_ALIGN((u8 *)(req + 1) + crypto_skcipher_reqsize(tfm),
			     crypto_skcipher_alignmask(tfm) + 1);
	skcipher_request_set_tfm(req, tfm);
	skcipher_request_set_callback(req, CRYPTO_TFM_REQ_MAY_SLEEP |
				      CRYPTO_TFM_REQ_MAY_BACKLOG,
				      crypto_req_done, &r->wait);
	return req;
}

static void crypt_end(struct vmd_crypt *crypt, struct skcipher_request *req)
{
	mempool_free((struct crypt_request *)req - 1, crypt->requests);
}

/* Sets up the next page and returns what to wait at. */
static struct crypto_wait *crypt_aim(struct skcipher_request *req,
				     struct page *from, struct page *to,
				     u32 place)
{
	struct crypt_request *r = (struct crypt_request *)req - 1;
	__le64 tweak[] = { cpu_to_le64(place), 0 };

	BUILD_BUG_ON(sizeof(tweak) != TWEAK_BYTES);
	/* The cipher leaves something else there. */
	memcpy(r->tweak, tweak, sizeof(tweak));
	sg_set_page(&r->from, from, PAGE_SIZE, 0);
	sg_set_page(&r->to, to, PAGE_SIZE, 0);
	skcipher_request_set_crypt(req, &r->from, from == to ? &r->from : &r->to,
				   PAGE_SIZE, r->tweak);
	return &r->wait;
}

/* Moves the pages of @io to bounce pages, whatever becomes of it. */
static int crypt_encrypt(struct skcipher_request *req, struct vmd_io *io,
			 struct page **bounce)
{
	struct crypto_wait *wait;
	int err = 0, this;
	u32 i;

	for (i = 0; i < io->nr; i++) {
		wait = crypt_aim(req, io->bvec[i].bv_page, bounce[i],
				 io->place + i);
		this = crypto_wait_req(crypto_skcipher_encrypt(req), wait);
		bvec_set_page(&io->bvec[i], bounce[i], PAGE_SIZE, 0);
		if (this)
			err = -EIO;
	}
	return err;
}

/* None is submitted, and none has a bounce page to be given back. */
static void crypt_refuse(struct vmd_io *ios, u32 nr)
{
	u32 i, j;

	for (i = 0; i < nr; i++) {
		ios[i].error = -EINTR;
		for (j = 0; j < ios[i].nr; j++)
			ios[i].bvec[j].bv_page = NULL;
	}
}

/**
 * vmd_crypt_write - encrypt what is about to be written
 * @space: whose pages; each has its place
 * @ios: requests, not submitted; of VMD_BATCH_MAX pages at most all together
 * @nr: how many requests
 *
 * The requests point to bounce pages afterwards, until vmd_crypt_written().
 * One whose error is set is not to be submitted: -EINTR if the thread is being
 * killed, -EIO. Nothing happens in a space without a key.
 */
void vmd_crypt_write(struct vmd_space *space, struct vmd_io *ios, u32 nr)
{
	struct vmd_crypt *crypt = READ_ONCE(space->crypt);
	struct page *bounce[VMD_BATCH_MAX];
	struct skcipher_request *req;
	u32 i, n = 0, at = 0;
	unsigned int flags;

	if (!crypt || !nr)
		return;
	for (i = 0; i < nr; i++)
		n += ios[i].nr;
	if (bounce_get(bounce, n)) {
		crypt_refuse(ios, nr);
		return;
	}
	flags = memalloc_noio_save();
	req = crypt_begin(crypt);
	for (i = 0; i < nr; i++) {
		ios[i].error = crypt_encrypt(req, &ios[i], bounce + at);
		at += ios[i].nr;
	}
	crypt_end(crypt, req);
	memalloc_noio_restore(flags);
}

/**
 * vmd_crypt_written - what vmd_crypt_write() encrypted was written, or was not
 * @space: whose pages; they still have their places
 * @bvec: the memory of all requests
 * @nr: how many pages
 */
void vmd_crypt_written(struct vmd_space *space, struct bio_vec *bvec, u32 nr)
{
	if (!READ_ONCE(space->crypt))
		return;
	while (nr--)
		if (bvec[nr].bv_page)
			mempool_free(bvec[nr].bv_page, bounce_pool);
}

/**
 * vmd_crypt_read - decrypt what was read, in place
 * @space: whose pages; nobody sees them yet
 * @io: a read that ended well
 *
 * Returns 0, as in a space without a key, or -EIO.
 */
int vmd_crypt_read(struct vmd_space *space, struct vmd_io *io)
{
	struct vmd_crypt *crypt = READ_ONCE(space->crypt);
	struct skcipher_request *req;
	struct crypto_wait *wait;
	unsigned int flags;
	int err = 0;
	u32 i;

	if (!crypt)
		return 0;
	flags = memalloc_noio_save();
	req = crypt_begin(crypt);
	for (i = 0; i < io->nr; i++) {
		wait = crypt_aim(req, io->bvec[i].bv_page, io->bvec[i].bv_page,
				 io->place + i);
		if (crypto_wait_req(crypto_skcipher_decrypt(req), wait))
			err = -EIO;
	}
	crypt_end(crypt, req);
	memalloc_noio_restore(flags);
	return err;
}
