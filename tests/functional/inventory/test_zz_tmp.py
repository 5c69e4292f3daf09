import sqlalchemy as sa, time, pytest, requests, json
from nova_cyborg.fixture import database
@pytest.fixture(autouse=True)
def conductor(plugin, agent_rpc): pass
from cyborg.objects import base as objects_base
def test_it(cloud, monkeypatch):
    n=[0]
    def count(*a): n[0]+=1
    calls=[]
    from cyborg.common import placement_client
    for m in ('get','post','put','delete'):
        st=getattr(placement_client.PlacementClient,m)
        def w(self,*a,_st=st,_m=m,**k): calls.append((_m,a[0][:30])); return _st(self,*a,**k)
        monkeypatch.setattr(placement_client.PlacementClient,m,w)
    def entry(b,k): return {'address':f'0000:{b:02x}:00.0','vendor':'8086','product':'09c4','type':'FPGA','resource_class':'FPGA','handles':{'type':'PCI','number':k}}
    for cards in (1,2,5,10):
        for slots in (1,10,64):
            d=cloud.start(*[entry(0x20+b,slots) for b in range(cards)])
            cloud.report(d)
            s=objects_base.CyborgObjectSerializer()
            size=len(json.dumps(s.serialize_entity(cloud.context, d.discover())))
            sa.event.listen(cloud.engine,'before_cursor_execute',count)
            n[0]=0; calls.clear(); t=time.process_time(); w=time.time()
            cloud.report(d)
            print('REPORT',cards,slots,'statements',n[0],'placement',len(calls),set(c[0] for c in calls),'cpu %.3f wall %.3f bytes %d'%(time.process_time()-t,time.time()-w,size))
            sa.event.remove(cloud.engine,'before_cursor_execute',count)
